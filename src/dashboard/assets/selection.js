// Rows that are selected, for what is done to many.

/** @returns {string[]} the ids of the selected rows */
export function selectedIds() {
  return boxes()
    .filter((box) => box.checked)
    .map((box) => box.value)
}

export function startSelection() {
  document.addEventListener('change', ({ target }) => {
    if (!(target instanceof HTMLInputElement)) return
    if ('selectAll' in target.dataset) for (const box of boxes()) box.checked = target.checked
    showSelection()
  })
  document.addEventListener('millrace:done', () => {
    for (const box of boxes()) box.checked = false
    showSelection()
  })
  showSelection()
}

/** Says how many are selected, wherever the page has room for it. */
export function showSelection() {
  const count = selectedIds().length
  for (const place of document.querySelectorAll('[data-selected]')) {
    place.textContent = count === 0 ? place.getAttribute('data-selected') : `${count} selected`
  }
  /** @type {HTMLInputElement | null} */
  const all = document.querySelector('[data-select-all]')
  if (all === null) return
  all.checked = count > 0 && count === boxes().length
  all.indeterminate = count > 0 && !all.checked
}

/** @returns {HTMLInputElement[]} */
function boxes() {
  const found = document.querySelectorAll('input[data-select]')
  return /** @type {HTMLInputElement[]} */ ([...found])
}
