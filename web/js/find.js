// Find space, and check a CIDR.
import { allocate } from './allocating.js';
import { get } from './api.js';
import { start } from './app.js';
import { parse } from './cidr.js';

import { holdName, plural } from './format.js';
import { me } from './me.js';
import { part, read } from './parts.js';
import { around, candidates, linkTo, offer, offers, wordOf } from './places.js';
import { newPool } from './pool-acts.js';

const FILTERS = ['size', 'family', 'environment', 'region', 'scope', 'label', 'q'];

function find() {
  const blank = Object.fromEntries(FILTERS.map((name) => [name, '']));

  return {
    ...blank, cidr: '', sizeFault: '', cidrFault: '', looked: false, places: part(), found: [], note: '', checked: false, check: part(), verdicts: [], environments: [], regions: [], scopes: [],

    get nothing() { return this.looked && this.places.state === 'ready' && !this.found.length; },
    get tells() { return this.places.state !== 'ready' || !this.looked ? '' : plural(this.found.length, 'pool') + ' with room for ' + this.length + this.note; },
    get length() { return '/' + this.size.replace('/', '').trim(); },

    async init() {
      this.restore();
      try {
        const [pools, scopes] = await Promise.all([get(['pools'], { limit: 1000 }), get(['scopes'], { limit: 1000 })]);
        const those = (field) => [...new Set(pools.items.map((pool) => pool[field]).filter(Boolean))].sort();
        Object.assign(this, { environments: those('environment'), regions: those('region'), scopes: scopes.items.map((scope) => scope.id) });
      } catch {
        // Only proposals for the fields. What cannot be read is told when it is asked for.
      }
    },

    // restore follows the address, to which each question is written.
    restore() {
      const query = new URLSearchParams(location.search);
      for (const name of FILTERS) this[name] = query.get(name) || '';
      this.cidr = query.get('cidr') || '';
      if (this.size) this.look();
      if (this.cidr) this.ask();
    },

    remember(values) {
      const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
      const address = '/find?' + query;
      if (address !== location.pathname + location.search) history.pushState(null, '', address);
    },

    search() {
      this.remember(Object.fromEntries(FILTERS.map((name) => [name, this[name].trim()])));
      return this.look();
    },

    async look() {
      const length = /^\/?(\d{1,3})$/.exec(this.size.trim());
      const family = this.family || (length && Number(length[1]) > 32 ? 'ipv6' : 'ipv4');
      this.sizeFault = length && Number(length[1]) <= (family === 'ipv6' ? 128 : 32) ? '' : 'A size is a prefix length such as /22.';
      if (this.sizeFault) return;
      this.looked = true;
      this.found = [];
      await read(this.places, async () => {
        const { pools, more, complete } = await candidates({ length: Number(length[1]), family, scope: this.scope, environment: this.environment.trim(), region: this.region.trim(), label: this.label.trim(), q: this.q.trim() });
        return { more, complete, rows: await offers(pools, Number(length[1])) };
      }, ({ rows, more, complete }) => {
        this.found = rows;
        this.note = (more ? ', ' + more + ' more were not asked: name an environment or a region' : '') + (complete ? '' : ', of the first 5,000 pools');
      });
    },

    take(row) { allocate({ pool: row.pool, block: row.cidr, done: () => this.look() }); },
    mayTake(scope) { return me.may('operator', scope); },

    checkCIDR() {
      this.remember({ cidr: this.cidr.trim(), scope: this.scope });
      return this.ask();
    },

    async ask() {
      const cidr = this.cidr.trim();
      const wanted = parse(cidr);
      this.cidrFault = wanted ? '' : 'That is no address and no CIDR, such as 10.1.2.0/24.';
      if (!wanted) return;
      this.checked = true;
      this.verdicts = [];
      await read(this.check, async () => Promise.all((await around(cidr, this.scope)).filter((place) => place.scope).map((place) => verdict(place, cidr, wanted))), (verdicts) => { this.verdicts = verdicts; });
    },

    takeHere(v) { (v.pool ? allocate({ pool: v.pool, block: v.free ? v.cidr : v.instead, done: () => this.ask() }) : newPool({ block: v.cidr, done: () => this.ask() })); },
  };
}

// verdict says whether a CIDR can be had in a scope, else who is in the way, and what would fit in its place.
async function verdict(place, cidr, wanted) {
  const { pool, holder, inside } = place;
  const blockers = (holder ? [holder] : inside).map((p) => ({ id: p.kind + p.owner_id + p.cidr, cidr: p.cidr, name: p.kind === 'hold' ? holdName(p.name) : p.name || p.owner_id, word: wordOf(p), href: linkTo(p) }));
  const base = { scope: place.scope, cidr, pool: pool ? pool.owner_id : '', chain: place.chain.map((p) => ({ id: p.kind + p.owner_id + p.cidr, cidr: p.cidr, name: p.kind === 'hold' ? holdName(p.name) : p.name || p.owner_id, word: wordOf(p), href: linkTo(p) })), blockers: blockers.slice(0, 10), instead: '', free: false, inside: '' };
  if (!pool) return { ...base, words: 'In no pool of this scope.' + (blockers.length ? ' Pools lie inside it.' : '') };
  if (!blockers.length && place.free) return { ...base, free: true, inside: place.free, words: 'Free in ' + pool.owner_id + '.' };
  const best = offer({ id: pool.owner_id, scope: place.scope, environment: '', region: '', owner: '' }, (await get(['pools', pool.owner_id, 'free-blocks'])).items, wanted.length);
  const more = (place.complete ? blockers.length : blockers.length + ' or more');
  return { ...base, instead: best ? best.cidr : '', words: 'Not available in ' + pool.owner_id + ': ' + (holder ? 'it lies in ' + blockers[0].name + ', ' + blockers[0].word + '.' : plural(more, 'block') + (blockers.length === 1 ? ' is' : ' are') + ' in the way.') };
}

start({ find });
