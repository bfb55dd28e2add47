import { FAMILIES, PARTS, pathTo, ratio, space, stackOf, total, unit, words } from './amounts.js';
import { get } from './api.js';
import { start } from './app.js';
import { drawRing, drawStack } from './charts.js';
import { over } from './creations.js';
import { percent, plural } from './format.js';
import { part, read } from './parts.js';
import { runwayChart } from './runway-chart.js';
import { classes, DIMENSIONS, groups } from './space-groups.js';
import { mix } from './mix.js';

// MOST is how many pools have a bar.
const MOST = 20;

const FIELDS = { scope: '', pool: '', by: 'account', family: 'ipv4', step: 'week' };

function analytics() {
  return mix(over(), runwayChart(), {
    ...FIELDS, unknown: '', wrong: '', scopes: [], pools: [], dimensions: DIMENSIONS, steps: [['day', 'day'], ['week', 'week'], ['month', 'month']],
    use: part(), share: part(), left: part(),
    splits: [], marks: [], bars: [], barNote: '', groups: [], ring: [], classes: [],

    get where() { return { scope: this.scope.trim(), pool: this.pool.trim() }; },
    get nothing() { return this.use.state === 'ready' && !this.splits.length; },
    get groupWord() { return 'What is allocated, by ' + this.by; },
    get unitWord() { return this.family === 'ipv4' ? 'Addresses' : '/64s'; },
    get familyWord() { return this.family === 'ipv4' ? 'IPv4' : 'IPv6'; },
    get noGroups() { return this.share.state === 'ready' && !this.groups.length; },
    get noClasses() { return this.left.state === 'ready' && !this.classes.length; },

    async init() {
      this.readAddress();
      this.loadChoices();
      await this.readAll();
    },

    async loadChoices() {
      try {
        const [scopes, pools] = await Promise.all([get(['scopes'], { limit: 1000 }), get(['pools'], { limit: 1000 })]);
        [this.scopes, this.pools] = [scopes.items.map((scope) => scope.id), pools.items.map((pool) => pool.id)];
      } catch {
        // Only proposals for the fields.
      }
    },

    readAddress() {
      const query = new URLSearchParams(location.search);
      for (const [name, otherwise] of Object.entries(FIELDS)) this[name] = query.get(name) || otherwise;
      if (!DIMENSIONS.some(([by]) => by === this.by)) this.by = FIELDS.by;
      this.unknown = [...new Set(query.keys())].filter((name) => !(name in FIELDS)).join(', ');
    },

    restore() {
      this.readAddress();
      return this.readAll();
    },

    forgetUnknown() {
      this.unknown = '';
      this.remember();
    },

    remember() {
      const address = '/analytics' + words(Object.fromEntries(Object.entries(FIELDS).map(([name, otherwise]) => [name, this[name].trim() === otherwise ? '' : this[name].trim()])));
      if (address !== location.pathname + location.search) history.pushState(null, '', address);
    },

    apply() {
      this.remember();
      return this.readAll();
    },

    readAll() { return Promise.all([this.readUse(), this.readShare(), this.readLeft(), this.readMade(), this.readRunway()]); },

    async readUse() {
      this.wrong = '';
      await read(this.use, () => get(['analytics', 'utilization'], this.where), (use) => this.takeUse(use));
    },
    readShare() {
      return read(this.share, () => get(['analytics', 'space'], { by: this.by, ...this.where }), (answer) => {
        const told = groups(answer, this.family, this.where);
        [this.groups, this.ring] = [told.rows, told.marks];
      });
    },
    readLeft() { return read(this.left, () => get(['analytics', 'free-blocks'], this.where), ({ items }) => { this.classes = FAMILIES.map(([family, name]) => ({ family: name, rows: classes(items.filter((c) => c.family === family), this.where) })).filter(({ rows }) => rows.length); }); },

    // turn shows another part of what was read, or reads it by something else.
    turn() {
      this.remember();
      return this.readShare();
    },
    turnStep() {
      this.remember();
      return this.readMade();
    },

    takeUse({ pools, ipv4, ipv6, truncated }) {
      const all = { ipv4, ipv6 };
      this.splits = FAMILIES.filter(([family]) => total(all[family]) > 0).map(([family, name]) => split(family, name, all[family], pools.filter((p) => p.family === family && p.depth === 0), this.where));
      const rows = pools.map((p) => ({ ...p, blocks: PARTS.slice(0, -1).reduce((sum, [name]) => sum + p.direct[name].blocks, 0) })).filter((p) => p.blocks).sort((a, b) => b.blocks - a.blocks || (a.pool < b.pool ? -1 : 1));
      const most = rows.length ? rows[0].blocks : 1;
      this.bars = rows.slice(0, MOST).map((p) => Object.freeze({
        id: p.pool, href: pathTo('', { scope: p.scope, pool: p.pool }), blocks: plural(p.blocks, 'block'), list: pathTo('allocated', { pool: p.pool }), allocated: plural(p.direct.allocated.blocks, 'allocation'), children: p.direct.delegated.blocks ? plural(p.direct.delegated.blocks, 'child pool') : '',
        marks: PARTS.slice(0, -1).filter(([name]) => p.direct[name].blocks).map(([name, word, kind]) => ({ kind, share: p.direct[name].blocks / most, href: pathTo(name, { scope: p.scope, pool: p.pool }), title: word + ': ' + plural(p.direct[name].blocks, 'block') })),
      }));
      this.barNote = rows.length > MOST ? 'The ' + MOST + ' pools with the most blocks, of ' + plural(rows.length, 'pool') + (truncated ? ' or more' : '') + '.' : '';
    },

    stack(svg, marks) { drawStack(svg, marks); },
    circle(svg, marks) { drawRing(svg, marks); },
  });
}

// split is how the space of a family is used: its leaves, and how much of its roots is delegated.
function split(family, name, all, roots, where) {
  const delegated = roots.reduce((sum, p) => ({ blocks: sum.blocks + p.direct.delegated.blocks, space: sum.space + p.direct.delegated.space }), { blocks: 0, space: 0 });
  const whole = total(all);
  const to = { ...where, family: where.pool ? '' : family };
  const row = (key, word, kind, amount) => ({ key: family + ' ' + key, name: key, word, kind, href: pathTo(key, to), blocks: plural(amount.blocks, 'block'), space: space(amount.space), share: percent(ratio(amount.space, whole)), note: kind === 'k-pool' ? 'Of the root pools, in child pools, in which the rest is counted' : '' });
  return {
    family, name: name + ', in ' + unit(family), whole: space(whole), marks: stackOf(all, whole, to, PARTS.slice(1)),
    rows: [...PARTS.slice(1).map(([key, word, kind]) => row(key, word, kind, all[key])), row('delegated', 'Delegated', 'k-pool', delegated)],
  };
}

start({ analytics });
