// Makes what stands on the page equal to what the server has sent, and leaves alone whatever is equal already: the focus,
// what is selected and what was opened stay.

/**
 * @param {Element} from what stands there
 * @param {Element} to what shall stand there; it is used up
 */
export function morphChildren(from, to) {
  const known = keyed(from)
  let at = from.firstChild
  for (const wanted of [...to.childNodes]) {
    const key = keyOf(wanted)
    const match = key === undefined ? sameKind(at, wanted) : known.get(key)
    if (match === undefined || match.nodeName !== wanted.nodeName) {
      from.insertBefore(wanted, at)
      continue
    }
    if (match === at) at = at.nextSibling
    else from.insertBefore(match, at)
    morph(match, wanted)
  }
  while (at !== null) {
    const next = at.nextSibling
    at.remove()
    at = next
  }
}

/** @param {Node} from @param {Node} to */
function morph(from, to) {
  if (from instanceof Element && to instanceof Element) {
    const isSameTime =
      from.nodeName === 'TIME' && from.getAttribute('datetime') === to.getAttribute('datetime')
    if (isSameTime) return // its text counts on
    copyAttributes(from, to)
    if (from.hasAttribute('data-chart')) return // the chart draws itself anew
    if (!from.isEqualNode(to)) morphChildren(from, to)
  } else if (from.nodeValue !== to.nodeValue) {
    from.nodeValue = to.nodeValue
  }
}

/** @param {Element} from @param {Element} to */
function copyAttributes(from, to) {
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value)
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !isOfTheReader(from, name)) from.removeAttribute(name)
  }
}

/** What whoever looks has done: opened something, or come by with the keys. */
function isOfTheReader(element, name) {
  return (name === 'open' && element instanceof HTMLDetailsElement) || name === 'aria-selected'
}

/** A node without a key stands for whatever of its kind is next. */
function sameKind(at, wanted) {
  const fits = at !== null && at.nodeName === wanted.nodeName && keyOf(at) === undefined
  return fits ? at : undefined
}

function keyed(parent) {
  return new Map(
    [...parent.children].flatMap((child) => {
      const key = keyOf(child)
      return key === undefined ? [] : [[key, child]]
    }),
  )
}

function keyOf(node) {
  return node instanceof HTMLElement ? node.dataset.key : undefined
}
