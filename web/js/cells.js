// The cells of one row, drawn by hand: a hundred rows of eight cells are drawn faster than bound.

import { followLink } from './keys.js';

// drawCells fills a row, behind the box by which it is chosen if it has one. A cell is {class, text, title, code, href, wraps, state}: href makes it a link, which a modified click opens beside, on one line unless it wraps.
export function drawCells(tr, row) {
  for (const old of [...tr.querySelectorAll(':scope > td:not(.c-choose)')]) old.remove();
  tr.append(...row.cells.map((cell) => {
    const td = document.createElement('td');
    td.className = cell.class;
    td.title = cell.title || cell.text;
    td.append(cell.href ? link(cell) : cell.code ? made('code', cell.text) : cell.state ? state(cell) : document.createTextNode(cell.text));
    return td;
  }));
}

function link(cell) {
  const a = made('a', cell.text);
  a.href = cell.href;
  a.className = cell.wraps ? 'link' : 'link line';
  a.tabIndex = -1;
  a.title = cell.title || cell.text;
  a.addEventListener('click', followLink);
  return a;
}

function state(cell) {
  const span = made('span', cell.text);
  span.className = 'hold-state ' + cell.state;
  return span;
}

function made(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
