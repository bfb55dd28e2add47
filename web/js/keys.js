// Rows are reached with j and k, or with the arrows once one of them has the focus.

export function isTyping(element) {
  return element.matches('input, select, textarea, [contenteditable]');
}

// moveFocus steps to the next (1) or previous (-1) row and says whether it did. Keys that also scroll the page, such as
// the arrows, only step when the focus is in the rows already.
export function moveFocus(step, fromAnywhere) {
  const rows = [...document.querySelectorAll('[data-row]')].filter((row) => row.offsetParent !== null);
  if (!rows.length) return false;
  const row = document.activeElement.closest('[data-row]');
  const at = rows.indexOf(row);
  if (at < 0) {
    if (!fromAnywhere) return false;
    (rows.find((r) => r.tabIndex === 0) || rows[0]).focus();
    return true;
  }
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
  return true;
}

// followLink keeps a plain click in the page, whose row answers it, and leaves a modified one to the browser, which opens it beside.
export function followLink(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) event.stopPropagation(); else event.preventDefault();
}
