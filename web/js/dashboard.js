import { CROWDED, FAMILIES, PARTS, pathTo, ratio, space, stackOf, total, unit, used } from './amounts.js';
import { get } from './api.js';
import { start } from './app.js';
import { drawStack } from './charts.js';
import { driftCounts } from './drift-counts.js';
import { firstCommands } from './first-commands.js';
import { calmly } from './live.js';
import { age, holdName, moment, percent, plural, until } from './format.js';
import { part, read } from './parts.js';
import { linkTo } from './places.js';
import { lasting } from './runway.js';

// MOST is how many rows each list has: the rest is a page away.
const MOST = 8;

// SPLIT are the parts of what is rolled up, where nothing is delegated.
const SPLIT = PARTS.filter(([name]) => name !== 'delegated');

function dashboard() {
  return {
    use: part(), runway: part(), endings: part(), drift: part(), recent: part(),
    families: [], stats: [], fullest: [], pools: 0, crowded: 0, lasting: [], notGrowing: false, ending: [], moreEnding: false, drifts: [], driftTotal: 0, driftMore: false, changes: [], steps: [],

    get empty() { return this.use.state === 'ready' && !this.pools; },
    get full() { return this.use.state !== 'ready' || this.pools > 0; },
    get crowdedWord() { return plural(this.pools, 'pool') + ', ' + this.crowded + ' over 80 %'; },
    get endingWord() { return this.endings.state === 'ready' && this.ending.length ? 'within 7 days' + (this.moreEnding ? ', the first ' + this.ending.length : '') : ''; },
    get driftWord() { return this.drift.state === 'ready' && this.driftTotal ? plural(this.driftTotal, 'difference') + (this.driftMore ? ' or more' : '') : ''; },

    init() {
      this.happened = calmly(() => this.readAgain(), 5000);
      return this.readAll();
    },

    readAll() { return Promise.all([this.readUse(), this.readRunway(), this.readEndings(), this.readDrift(), this.readRecent()]); },

    // readAgain reads all of it anew after something has happened, and what is shown stays until then.
    readAgain() {
      for (const of of [this.use, this.runway, this.endings, this.drift, this.recent]) of.quietly = true;
      return this.readAll();
    },
    happened() {},

    readUse() { return read(this.use, () => get(['analytics', 'utilization']), (use) => this.take(use)); },
    readRunway() {
      return read(this.runway, () => get(['analytics', 'runway']), ({ pools }) => {
        this.lasting = pools.slice(0, MOST).map(lasting);
        this.notGrowing = !pools.length;
      });
    },
    readEndings() {
      return read(this.endings, () => get(['analytics', 'endings'], { limit: MOST }), ({ items, more }) => {
        this.ending = items.map((e) => ({ key: e.kind + e.id, kind: e.kind, name: e.kind === 'hold' ? holdName(e.name) : e.name, cidr: e.cidr, href: linkTo({ ...e, owner_id: e.id }), in: until(e.at), at: moment(e.at) }));
        this.moreEnding = more;
      });
    },
    readDrift() {
      return read(this.drift, driftCounts, ({ kinds, more }) => {
        this.drifts = kinds;
        this.driftTotal = kinds.reduce((sum, k) => sum + k.count, 0);
        this.driftMore = more;
      });
    },
    readRecent() {
      return read(this.recent, () => get(['events'], { limit: 5 * MOST }), ({ items }) => {
        // Who signed in changed nothing.
        this.changes = items.filter((e) => e.object_kind !== 'session').slice(0, MOST).map((e) => ({ id: e.id, action: e.action, what: called(e), actor: e.actor, age: age(e.at) + ' ago', at: moment(e.at), href: '/audit?' + new URLSearchParams({ object: e.object_id, event: e.id }) }));
      });
    },

    take({ pools, ipv4, ipv6, truncated }) {
      const all = { ipv4, ipv6 };
      this.pools = pools.length;
      this.families = FAMILIES.filter(([family]) => total(all[family]) > 0).map(([family, name]) => ({ family, name: name + ', in ' + unit(family), marks: stackOf(all[family], total(all[family]), { family }, SPLIT), parts: SPLIT.map((s) => line(s, all[family], family)) }));
      this.stats = FAMILIES.filter(([family]) => total(all[family]) > 0).flatMap(([family, name]) => [
        { key: family + ' used', name: name + ' in use', value: percent(ratio(used(all[family]), total(all[family]))) }, { key: family + ' free', name: name + ' ' + unit(family) + ' free', value: space(all[family].free.space) },
      ]);
      const rows = pools.map((p) => ({ ...p, ratio: ratio(used(p.rolled), p.space) }));
      this.crowded = rows.filter((p) => p.ratio >= CROWDED).length + (truncated ? ' or more' : '');
      this.fullest = rows.sort((a, b) => b.ratio - a.ratio || b.space - a.space).slice(0, MOST).map((p) => Object.freeze({
        id: p.pool, cidr: p.cidr, href: pathTo('', { scope: p.scope, pool: p.pool }), used: percent(p.ratio), crowded: p.ratio >= CROWDED, free: space(p.rolled.free.space), marks: stackOf(p.rolled, p.space, { scope: p.scope, pool: p.pool }, SPLIT.slice(0, -1)),
      }));
      if (!pools.length) this.steps = firstCommands(location.origin, 'default');
    },

    stack(svg, marks) { drawStack(svg, marks); },
  };
}

function called(e) {
  const it = e.after || e.before || {};
  return it.name || it.reason || it.pool || e.object_id;
}

function line([name, word, kind], split, family) {
  return { name, word, kind, key: family + ' ' + name, href: pathTo(name, { family }), blocks: plural(split[name].blocks, 'block'), space: space(split[name].space), share: percent(ratio(split[name].space, total(split))) };
}

start({ dashboard });
