import { remove } from './api.js';
import { start } from './app.js';
import { AGE, CIDR, IN_POOL, extra } from './columns.js';
import { facts } from './facts.js';
import { ask } from './form.js';
import { labelText, moment } from './format.js';
import { listing } from './listing.js';
import { releasing } from './releasing.js';
import { reserving } from './reserving.js';
import { subject } from './subject.js';
import { rowOf, table } from './table.js';
import { reservationImport, reservationResource } from './terraform.js';

const FILTERS = ['q', 'within', 'pool', 'owner', 'scope', 'sort'];
const COLUMNS = [
  { ...CIDR, sort: ['cidr'] }, { head: 'Reason', class: 'c-name c-words', opens: true, cell: (r) => ({ text: r.reason, wraps: true }) }, { head: 'Name', class: 'c-extra muted', cell: (r) => r.name || '' }, IN_POOL, extra('Owner', 'owner'),
  { head: 'Kept', class: 'c-state', cell: (r) => ({ text: stateWord(r), state: ended(r) ? 'ended' : 'stands' }) }, { ...AGE, sort: ['-created', 'created'] },
];
const NONE = { id: '', name: '', reason: '', cidr: '', pool: '', scope: '', whole: null, state: '', stateWord: '', advice: '', facts: [], poolLink: '', terraform: '' };

function reservations() {
  const list = listing({ resource: 'reservations', one: 'reservation', filters: FILTERS, row: rowOf({ place: 'reservations', one: 'reservation', columns: COLUMNS }), details, none: NONE });

  return {
    ...list,
    ...table({ resource: 'reservations', place: 'reservations', one: 'reservation', columns: COLUMNS }),
    ...releasing({
      give(key) { return remove(['reservations', this.detail.id], key); },
      told() { return 'Released ' + this.detail.cidr; },
      done() {
        this.closeDrawer();
        return this.load();
      },
    }),
    ...reserving({
      async done({ id }) {
        await this.load();
        await this.open(id); // filters may leave it out, or a page: its details say what was reserved
      },
    }),

    get historyOf() { return this.detail.id; },
    get filtered() { return this.isFiltered(); },
    get summary() { return this.counted('reservation'); },
    get owners() { return [...new Set(this.rows.map((r) => r.item.owner).filter(Boolean))].sort(); },
    get example() { return reservationResource(); },

    edit() {
      const r = this.detail.whole;
      ask({
        title: 'Edit the reservation of ' + r.cidr, word: 'Save', edit: true,
        fields: [
          { name: 'reason', label: 'Reason', required: true, help: 'What others read who meet the block.' }, { name: 'name', label: 'Name', max: 115 }, { name: 'owner', label: 'Owner', max: 255 },
          { name: 'expires_at', label: 'Until', kind: 'moment', help: 'In your time. Left empty, the block is kept until somebody releases it.' }, { name: 'labels', label: 'Labels', kind: 'labels' },
        ].map((field) => ({ ...field, value: r[field.name] })),
        ...subject(['reservations', r.id], r), told: (made) => 'Changed the reservation of ' + made.cidr, done: () => this.refreshAll(),
      });
    },

    // init opens the form where the address asks for it, as a pool's link does.
    async init() {
      const wanted = new URLSearchParams(location.search).has('new');
      await list.init.call(this);
      if (wanted) this.askReserve(this.pool);
    },
  };
}

function ended(r) {
  return Boolean(r.expires_at) && Date.now() >= Date.parse(r.expires_at);
}

function stateWord(r) {
  if (!r.expires_at) return 'Until it is released';
  return (ended(r) ? 'Ended on ' : 'Until ') + moment(r.expires_at);
}

function details(r) {
  const all = [
    ['Name', r.name], ['Pool', r.pool], ['Scope', r.scope], ['Owner', r.owner], ['Labels', labelText(r.labels)], ['Made', moment(r.created_at)],
    ['Changed', r.updated_at === r.created_at ? '' : moment(r.updated_at)], ['Id', r.id, true], ['Version', String(r.version), true],
  ];
  return {
    id: r.id, name: r.name || '', whole: Object.freeze(r), scope: r.scope, reason: r.reason, cidr: r.cidr, pool: r.pool, state: ended(r) ? 'ended' : 'stands', stateWord: stateWord(r), advice: advice(r), facts: facts(all),
    poolLink: '/pools?' + new URLSearchParams({ scope: r.scope, pool: r.pool }), terraform: reservationImport(r),
  };
}

function advice(r) {
  if (ended(r)) return 'It promises nothing any more: whoever names the block or fits nowhere else gets it, and within about an hour it is free for everyone. Until then a later end still keeps it.';
  return 'Nothing is placed in the block, and its pool cannot be deleted, ' + (r.expires_at ? 'until then. ' : 'until somebody releases it. ') + 'If it is not needed any more, release it.';
}

start({ reservations });
