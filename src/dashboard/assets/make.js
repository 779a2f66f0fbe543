/**
 * An element; texts in it stay texts.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string>} attributes
 * @param {string | (Node | string)[]} content
 */
export function make(name, attributes, content = []) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...(typeof content === 'string' ? [content] : content))
  return element
}
