// The one search: an address answers with all that is there, words with what is called so, and a verb with where it is done.
import { get, isAbort, why } from './api.js';
import { parse } from './cidr.js';
import { holdName } from './format.js';
import { around, freeAround, linkTo, wordOf } from './places.js';

// EACH is how many of a kind are shown, and READ how many are read to find several words in.
const EACH = 5;
const READ = 200;

// ACTIONS are what can be done, by the words people have for it.
const ACTIONS = [
  ['Allocate a block', 'allocate subnet new', '/find'], ['Find space', 'free room next available', '/find'], ['Check a CIDR', 'check why available', '/find'], ['Reserve a block', 'reserve keep', '/reservations?new='], ['Restore from quarantine', 'restore undo released', '/quarantine'],
  ['Audit log', 'audit history changes who', '/audit'], ['Drift', 'drift difference unmanaged', '/drift'], ['Networks', 'vpc network observed subnet', '/networks'], ['Accounts', 'account project sync', '/accounts'], ['Tokens', 'token api key', '/tokens'], ['Webhooks', 'webhook delivery', '/webhooks'],
];

const KINDS = [
  ['pools', 'pool', (p) => [p.name, p.cidr, '/pools?' + new URLSearchParams({ scope: p.scope, pool: p.id })]], ['allocations', 'allocation', (a) => [a.name, a.cidr, '/allocations?allocation=' + a.id]],
  ['allocation-sets', 'set', (s) => [s.name, s.pool, '/sets?set=' + s.id]], ['reservations', 'reservation', (r) => [r.reason, r.cidr, '/reservations?reservation=' + r.id]], ['quarantines', 'quarantine', (q) => [q.name, q.cidr, '/quarantine?quarantine=' + q.id]],
  ['accounts', 'account', (a) => [a.name, a.id, '/accounts?account=' + encodeURIComponent(a.id)]], ['observations', 'network', (o) => [o.name || o.id, o.cidr, '/networks?contains=' + encodeURIComponent(o.cidr)]],
];

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
  const [places, seen] = await Promise.all([around(cidr, ''), get(['observations'], { contains: cidr, limit: EACH })]);
  const hits = [];
  for (const place of places) {
    const where = place.scope === 'default' && places.length === 1 ? '' : ' · scope ' + place.scope;
    if (place.pool && !place.holder && !place.inside.length) hits.push({ kind: 'free', name: 'Free in ' + place.pool.owner_id, detail: 'inside ' + (await freeAround(place.pool.owner_id, cidr) || place.pool.cidr) + where, href: '/find?' + new URLSearchParams({ cidr, scope: place.scope }) });
    for (const p of [...place.chain].reverse()) hits.push({ kind: p.kind, name: p.kind === 'hold' ? holdName(p.name) : p.name || p.owner_id, detail: p.cidr + ' · ' + wordOf(p) + where, href: linkTo(p) });
    if (place.inside.length) hits.push({ kind: 'inside', name: place.inside.length + (place.complete ? '' : ' or more') + ' blocks inside it', detail: cidr + where, href: '/find?' + new URLSearchParams({ cidr, scope: place.scope }) });
  }
  for (const o of seen.items) hits.push({ kind: 'observed', name: o.name || o.id, detail: o.cidr + ' · observed in ' + o.account, href: '/networks?' + new URLSearchParams({ contains: cidr }) });
  return hits;
}

// called finds what has all of the words: the server looks for the longest of them, and the rest is looked for in its answers.
async function called(text, signal) {
  const words = text.toLowerCase().split(/\s+/);
  const label = words.find((word) => word.includes('='));
  const longest = words.filter((word) => word !== label).sort((a, b) => b.length - a.length)[0] || '';
  const pages = await Promise.all(KINDS.map(([resource]) => answer(resource, { q: longest, label }, words.length > 1, signal)));
  const hits = ACTIONS.filter(([name, verbs]) => words.every((word) => (name + ' ' + verbs).toLowerCase().includes(word))).map(([name, , href]) => ({ kind: 'go to', name, detail: '', href }));
  pages.forEach((items, i) => {
    const [, kind, shape] = KINDS[i];
    for (const item of items.filter((it) => words.every((word) => textOf(it).includes(word))).slice(0, EACH)) {
      const [name, detail, href] = shape(item);
      hits.push({ kind, name, detail: detail + (item.owner ? ' · ' + item.owner : ''), href });
    }
  });
  return hits;
}

async function answer(resource, query, several, signal) {
  if (query.label && resource === 'quarantines') return [];
  // Pools are few, and are also called after their region, environment and account, in which the server does not look.
  if (resource === 'pools') return (await get([resource], { label: query.label, limit: 1000 }, { signal })).items;
  const { items } = await get([resource], { ...query, limit: several ? READ : EACH * 4 }, { signal });
  return items;
}

function textOf(item) {
  return Object.entries(item).map(([name, value]) => (name === 'labels' ? Object.entries(value).map(([k, v]) => k + '=' + v).join(' ') : value)).join(' ').toLowerCase();
}
