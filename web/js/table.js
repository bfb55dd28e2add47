// The rows of a list as a table: its columns say what stands in them, which of them are shown, and by which the list is ordered.
import { drawCells } from './cells.js';
import { download } from './csv.js';
import { views } from './views.js';

// rowOf makes rows of items: {id, cells, item}. Columns are {head, class, opens, sort, cell(item)}, see records.js.
export function rowOf({ place, one, columns, id = (item) => item.id }) {
  return (item) => Object.freeze({
    id: id(item), item,
    cells: columns.map((column) => {
      const cell = column.cell(item);
      return { text: '', ...(typeof cell === 'string' ? { text: cell } : cell), class: column.class, href: column.opens ? '/' + place + '?' + one + '=' + encodeURIComponent(id(item)) : '' };
    }),
  });
}

// table is the part of a list's component that draws them.
export function table({ resource, place, one, columns }) {
  return {
    ...views({ place, columns }),
    columns,

    download() { return download(resource, this.query()); },
    draw(tr, row) {
      tr.dataset[one] = row.id;
      drawCells(tr, { cells: row.cells.filter((cell, i) => this.shows(columns[i])) });
    },
  };
}
