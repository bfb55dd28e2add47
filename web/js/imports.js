// Files that were imported, what became of their rows, and taking one back.
import { act, attempt } from './api.js';
import { start } from './app.js';
import { AGE, SORT, extra } from './columns.js';
import { facts } from './facts.js';
import { ask } from './form.js';
import { moment, plural } from './format.js';
import { me } from './me.js';
import { records } from './records.js';
import { report } from './toasts.js';

// SHOWN is how many rows the drawer shows.
const SHOWN = 200;

const PAGES = { allocations: '/allocations?allocation=', reservations: '/reservations?reservation=', pools: '/pools?pool=', accounts: '/accounts?account=' };

function state(i) { return i.undone_at ? { state: 'lost', text: 'Undone', title: 'Undone by ' + i.undone_by + ', ' + moment(i.undone_at) } : { state: 'kept', text: 'Stands' }; }

function ofKind(i, n) { return plural(n, i.kind.slice(0, -1)); }

// back says what undoing does with what an import made and changed.
function back(i) {
  const away = { pools: 'deleted', accounts: 'deleted', allocations: 'released', reservations: 'released' }[i.kind];
  return [i.created ? ofKind(i, i.created) + ' would be ' + away : '', i.updated ? ofKind(i, i.updated) + ' would be as before' : ''].filter(Boolean).join(', and ') || 'Nothing was made or changed, so nothing would be';
}

// undo tries it first. What is refused is told row by row; otherwise the same is asked once more, and done.
async function undo(i, list) {
  try {
    await attempt(['imports', i.id, 'undo'], {});
  } catch (error) {
    if (!error.errors || !error.errors.length) return report(error, 'It cannot be undone');
    return list.tell({
      ...details(i, list), state: 'fails', stateWord: 'It cannot be undone: nothing has been changed', lead: 'An import is undone as a whole or not at all. Mend these rows, or leave it as it is.',
      heads: ['Row', 'Why not'], table: error.errors.map(({ detail }, at) => ({ key: at, cells: split(detail) })),
    });
  }
  ask({
    title: 'Undo the import of ' + ofKind(i, i.created + i.updated) + '?', danger: true, word: 'Undo it', fields: [],
    lead: back(i) + '. ' + (i.kind === 'allocations' ? 'What is released goes into quarantine where its pool asks for that. ' : '') + 'It was tried a moment ago, and no row was refused. Terraform makes again what it manages.',
    send: (body, key) => act(['imports', i.id, 'undo'], {}, key), told: () => 'Undone: ' + ofKind(i, i.created + i.updated), done: () => list.refreshAll(),
  });
}

// split parts "row 3: why" into its cells.
function split(detail) {
  const [, row, why] = /^(?:nothing was undone: )?row (\d+): (.*)$/s.exec(detail) || [detail, '', detail];
  return [{ key: 0, text: row, class: 'num' }, { key: 1, text: why, class: '' }];
}

function details(i, list) {
  const rows = i.rows || [];
  const cells = (row) => [String(row.row), row.verdict, row.name || row.object || '', row.cidr || '', (row.changed || []).join(', ')].map((text, at) => ({ key: at, text, class: at === 3 ? 'mono' : '' }));
  return {
    id: i.id, title: 'Import of ' + i.kind, state: state(i).state, stateWord: state(i).title || state(i).text, lead: i.reason, history: i.id,
    acts: !i.undone_at && me.may('operator') ? [{ word: 'Undo…', run: () => undo(i, list) }] : [],
    facts: facts([['By', i.actor], ['When', moment(i.created_at)], ['Created', String(i.created)], ['Changed', String(i.updated)], ['Unchanged', String(i.unchanged)], ['Id', i.id, true], ['Digest', i.digest, true]]),
    heads: ['Row', 'Verdict', 'Name', 'CIDR', 'Changed'], table: rows.slice(0, SHOWN).map((row) => ({ key: row.row, cells: cells(row) })),
    why: rows.length > SHOWN ? 'The first ' + SHOWN + ' of ' + plural(rows.length, 'row') + ' that made or changed something.' : '',
    links: rows.length === 1 ? [{ href: PAGES[i.kind] + encodeURIComponent(rows[0].object), text: 'Open what it made' }] : [{ href: '/audit?' + new URLSearchParams({ object: i.id }), text: 'Its events' }],
  };
}

start({ records: () => records({
  resource: 'imports', one: 'import', noun: 'import', fields: [{ ...SORT, options: SORT.options.filter(([order]) => order !== 'cidr') }],
  columns: [
    { head: 'Import', class: 'c-name', opens: true, cell: (i) => ofKind(i, i.created + i.updated + i.unchanged) }, { head: 'By', class: 'c-who', cell: (i) => i.actor }, { head: 'Created', class: 'c-extra num', cell: (i) => String(i.created) }, { head: 'Changed', class: 'c-extra num', cell: (i) => String(i.updated) },
    extra('Reason', 'reason'), { head: 'State', class: 'c-state', cell: state }, { ...AGE, sort: ['-created', 'created'] },
  ],
  details, empty: ['Nothing was imported yet.', 'A CSV file makes and changes pools, allocations, reservations and accounts: all of its rows or none, and it can be undone here. The command shows what would become of each row, and asks:'],
  example: 'cloudpam import csv allocations team.csv',
}) });
