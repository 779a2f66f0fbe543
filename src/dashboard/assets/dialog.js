// The dialog in which whoever presses a button sees what will happen, and says that it shall.
import { fieldOf } from './fields.js'
import { make } from './make.js'

/**
 * @typedef {object} Question
 * @property {string} title what the button of the dialog says, too
 * @property {string} [text]
 * @property {boolean} [danger]
 * @property {import('./fields.js').Field[]} [fields]
 * @property {() => Promise<any>} [look] says what it would hit
 * @property {(values: Record<string, unknown>, tell: (text: string) => boolean) => Promise<string>} carryOut
 * @property {(message: string) => void} done
 */

/** @param {Question} question */
export async function ask(question) {
  const dialog = new Dialog(question)
  await dialog.open()
}

class Dialog {
  /** @param {Question} question */
  constructor(question) {
    const { title, text, danger = false, fields = [] } = question
    this.question = question
    this.inputs = fields.map(fieldOf)
    this.yes = make('button', { class: `button ${danger ? 'danger' : 'primary'}` }, title)
    this.problem = make('p', { class: 'problem', role: 'alert' })
    this.preview = make('div', { class: 'preview', 'aria-live': 'polite' })
    const no = make('button', { class: 'button', type: 'button' }, 'Back')
    const form = make('form', { method: 'dialog' }, [
      make('h2', { id: 'question' }, title),
      ...(text === undefined ? [] : [make('p', {}, text)]),
      this.preview,
      ...this.inputs.map(({ label }) => label),
      this.problem,
      make('div', { class: 'buttons' }, [no, this.yes]),
    ])
    this.element = make('dialog', { class: 'question', 'aria-labelledby': 'question' }, [form])
    no.addEventListener('click', () => this.element.close())
    this.element.addEventListener('close', () => this.element.remove())
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.submit()
    })
  }

  async open() {
    document.body.append(this.element)
    this.element.showModal()
    if (this.question.look !== undefined) await this.look(this.question.look)
  }

  /** Shows what it would hit; only then it can be done. @param {() => Promise<any>} look */
  async look(look) {
    this.yes.disabled = true
    this.preview.replaceChildren(make('p', {}, 'Counting…'))
    try {
      const { count, sample } = await look()
      this.preview.replaceChildren(...describe(count, sample))
      if (count.value === 0) return
      this.yes.disabled = false
      this.yes.textContent = `${this.question.title}: ${jobs(count)}`
      this.yes.focus()
    } catch (error) {
      this.preview.replaceChildren()
      this.problem.textContent = error.message
    }
  }

  async submit() {
    const { carryOut, done } = this.question
    this.problem.textContent = ''
    this.yes.disabled = true
    try {
      const values = Object.fromEntries(this.inputs.flatMap(({ read }) => read()))
      const message = await carryOut(values, (progress) => {
        this.preview.replaceChildren(make('p', {}, progress))
        return this.element.isConnected // whoever closed it does not want more
      })
      this.element.close()
      done(message)
    } catch (error) {
      this.problem.textContent = error.message
      this.yes.disabled = false
    }
  }
}

function describe(count, sample) {
  if (count.value === 0) return [make('p', {}, 'No job is like that now: nothing would happen.')]
  const items = sample.slice(0, 5).map(describeJob)
  const others = make('p', { class: 'muted' }, 'and others.')
  return [
    make('p', {}, [make('strong', {}, jobs(count)), ' will be changed, such as:']),
    make('ul', {}, items),
    ...(count.value > items.length ? [others] : []),
  ]
}

function describeJob({ id, status, args, errors }) {
  const error = errors?.at(-1)
  const what =
    error === undefined ? JSON.stringify(args ?? null) : `${error.name}: ${error.message}`
  return make('li', {}, [make('code', {}, id), ` ${status} `, make('small', {}, cut(what))])
}

function jobs({ value, precision }) {
  const sign = { exact: '', estimate: 'about ', atLeast: 'at least ' }[precision] ?? ''
  return `${sign}${value.toLocaleString('en')} ${value === 1 ? 'job' : 'jobs'}`
}

function cut(text) {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
