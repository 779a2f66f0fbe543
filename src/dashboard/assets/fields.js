// What whoever presses a button is asked for.
import { make } from './make.js'

/** @typedef {{ name: string, label: string, kind?: string, value?: string, placeholder?: string }} Field */

/** A field, and what is read from it: nothing where it was left empty. @param {Field} field */
export function fieldOf({ name, label, kind = 'text', value = '', placeholder = '' }) {
  const attributes = { name, placeholder, spellcheck: 'false', autocomplete: 'off' }
  const isJson = kind === 'json'
  const rows = String(Math.min(Math.max(value.split('\n').length, 4), 16))
  const type = kind === 'number' ? 'number' : 'text'
  const input = isJson
    ? make('textarea', { ...attributes, rows })
    : make('input', { ...attributes, type })
  input.value = value
  return {
    label: make('label', {}, [make('span', {}, label), input]),
    read: () => {
      const text = input.value.trim()
      if (text === '') return []
      return [[name, kind === 'text' ? text : readJson(text, label)]]
    },
  }
}

function readJson(text, label) {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`${label} is no JSON: ${error.message}.`, { cause: error })
  }
}
