// The one search: an address answers with all that is there, words with what is called so, and a verb with where it is done.
import { get, isAbort, why } from './api.js';
import { parse } from './cidr.js';
import { holdName } from './format.js';
import { around, linkTo, wordOf } from './places.js';

// MOST is how many answers are shown.
const MOST = 30;

// ACTIONS are what can be done, by the words people have for it.
const ACTIONS = [
  ['Allocate a block', 'allocate subnet new', '/find'], ['Pools as a list', 'pools list flat sort filter csv', '/pool-list'], ['Find space', 'free room next available', '/find'], ['Check a CIDR', 'check why available', '/find'], ['Reserve a block', 'reserve keep', '/reservations?new='], ['Restore from quarantine', 'restore undo released', '/quarantine'],
  ['Dashboard', 'dashboard overview home', '/dashboard'], ['Analytics', 'analytics charts runway growth space account', '/analytics'], ['Policies', 'policy rule allowed violation', '/policies'], ['Compare two dates', 'compare history past time dates', '/compare'], ['Audit log', 'audit history changes who', '/audit'], ['Drift', 'drift difference unmanaged', '/drift'], ['Networks', 'vpc network observed subnet', '/networks'], ['Accounts', 'account project sync', '/accounts'], ['Tokens', 'token api key', '/tokens'], ['Webhooks', 'webhook delivery', '/webhooks'],
];

// PAGES is where an object of each kind is read.
const PAGES = {
  scope: (h) => '/pools?scope=' + encodeURIComponent(h.id), pool: (h) => '/pools?' + new URLSearchParams({ scope: h.scope, pool: h.id }), allocation: (h) => '/allocations?allocation=' + h.id, allocation_set: (h) => '/sets?set=' + h.id, reservation: (h) => '/reservations?reservation=' + h.id,
  hold: (h) => '/holds?hold=' + h.id, quarantine: (h) => '/quarantine?quarantine=' + h.id, account: (h) => '/accounts?account=' + encodeURIComponent(h.id), observation: (h) => '/networks?' + new URLSearchParams({ contains: h.cidr || '', q: h.cidr ? '' : h.id }),
};

export function searching() {
  let request = new AbortController();

  return {
    text: '', hits: [], at: -1, state: 'idle', words: '',

    open() {
      if (!this.$refs.search.open) this.$refs.search.showModal();
      this.$refs.text.select();
    },
    close() { this.$refs.search.close(); },

    get tells() {
      if (this.state === 'loading') return 'Searching…';
      if (this.state === 'ready') return this.hits.length ? this.hits.length + (this.hits.length === 1 ? ' answer' : ' answers') : 'Nothing is called so, in what you may see.';
      return this.state === 'failed' ? 'It could not be searched. ' + this.words : 'A name, an owner, a label such as team=pay, an address or a CIDR.';
    },
    get active() { return this.at >= 0 ? 'hit-' + this.at : null; },

    async look() {
      request.abort();
      request = new AbortController();
      const text = this.text.trim();
      this.at = -1;
      if (!text) {
        [this.hits, this.state] = [[], 'idle'];
        return;
      }
      this.state = 'loading';
      const range = /[.:/]/.test(text) ? parse(text) : null;
      try {
        const hits = range ? await atAddress(text) : await called(text, request.signal);
        if (text !== this.text.trim()) return;
        this.hits = hits.map((hit, i) => Object.freeze({ ...hit, id: 'hit-' + i, at: i }));
        this.at = this.hits.length ? 0 : -1;
        this.state = 'ready';
      } catch (error) {
        if (!isAbort(error)) [this.hits, this.state, this.words] = [[], 'failed', why(error)];
      }
    },

    step(by) {
      if (!this.hits.length) return;
      this.at = (this.at + by + this.hits.length) % this.hits.length;
      this.$nextTick(() => document.getElementById('hit-' + this.at).scrollIntoView({ block: 'nearest' }));
    },

    go() { if (this.at >= 0) location.assign(this.hits[this.at].href); },
  };
}

// atAddress answers with the chain from scope to holder, innermost first, or says that it is free and in which block.
async function atAddress(cidr) {
  const places = await around(cidr, '');
  const hits = [];
  for (const place of places) {
    const where = !place.scope || (place.scope === 'default' && places.length === 1) ? '' : ' · scope ' + place.scope;
    if (place.free) hits.push({ kind: 'free', name: 'Free in ' + place.pool.owner_id, detail: 'inside ' + place.free + where, href: '/find?' + new URLSearchParams({ cidr, scope: place.scope }) });
    for (const p of [...place.chain].reverse()) hits.push({ kind: p.kind, name: p.kind === 'hold' ? holdName(p.name) : p.name || p.owner_id, detail: p.cidr + ' · ' + wordOf(p) + where, href: linkTo(p) });
    if (place.inside.length) hits.push({ kind: 'inside', name: place.inside.length + (place.complete ? '' : ' or more') + ' blocks inside it', detail: cidr + where, href: '/find?' + new URLSearchParams({ cidr, scope: place.scope }) });
    for (const o of place.observed) hits.push({ kind: 'observed', name: o.name || o.id, detail: o.cidr + ' · observed in ' + o.account, href: '/networks?' + new URLSearchParams({ contains: cidr }) });
  }
  return hits;
}

// called finds what has all of the words, and what can be done that is called so.
async function called(text, signal) {
  const words = text.toLowerCase().split(/\s+/);
  const todo = ACTIONS.filter(([name, verbs]) => words.every((word) => (name + ' ' + verbs).toLowerCase().includes(word))).map(([name, , href]) => ({ kind: 'go to', name, detail: '', href }));
  const { hits } = await get(['search'], { q: text, limit: MOST }, { signal });
  const found = hits.map((h) => ({ kind: h.kind.replace('_', ' '), name: h.kind === 'hold' ? holdName(h.name) : h.name || h.id, detail: [h.cidr, h.pool, h.owner].filter(Boolean).join(' · '), href: PAGES[h.kind](h) }));
  // Whoever types a verb means to do it; whoever types a name, and a verb is called like it, means the name.
  return found.length && words.length === 1 && found[0].name.toLowerCase() === words[0] ? [...found, ...todo] : [...todo, ...found];
}
