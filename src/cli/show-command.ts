/* Whoever says what to do, in whatever room, says it in the same words. */
export { quote, showCommand } from '../core/show-command.ts'
