import { attempt, get } from './api.js';
import { start } from './app.js';
import { words } from './amounts.js';
import { block, labelsOf } from './form-fields.js';
import { moment, plural } from './format.js';
import { me } from './me.js';
import { part, read } from './parts.js';
import { edit, takeAway } from './policy-acts.js';
import { sentences } from './policy-rules.js';
import { linkTo } from './places.js';
import { scopeOf } from './pool-selection.js';

// FOUND is how many violations are shown at once, LOOKS how many pages are looked at for them.
const FOUND = 100;
const LOOKS = 10;

const WISH = { name: 'app-prd', block: '/24', owner: '', environment: '', region: '', account: '', labels: '' };

function policies() {
  return {
    pool: '', pools: [], roots: [], unknown: '', effective: part(), policies: [], own: null, within: [],
    violations: part(), found: [], looked: 0, token: '', violators: '',
    wish: { ...WISH }, tried: part(), asked: false, verdict: '', allowed: false, broken: [],

    get chosen() { return Boolean(this.pool); },
    get mayEdit() { return this.chosen && this.effective.state === 'ready' && me.may('admin', scopeOf(this.pool), this.within); },
    get editWord() { return this.own ? 'Edit its policy' : 'Give it a policy'; },
    get none() { return this.effective.state === 'ready' && !this.policies.length; },
    get clean() { return this.violations.state === 'ready' && !this.found.length && !this.token; },
    get violationWord() { return this.violations.state !== 'ready' ? '' : this.found.length ? plural(this.found.length, 'breach').replace('breachs', 'breaches') + (this.token ? ' so far' : '') : this.token ? 'None in the first ' + LOOKS + ' pages.' : ''; },
    get csv() { return '/api/v1/pools/' + encodeURIComponent(this.pool) + '/policy/violations?format=csv'; },
    get poolLink() { return '/pools' + words({ scope: scopeOf(this.pool) === 'default' ? '' : scopeOf(this.pool), pool: this.pool }); },

    async init() {
      this.readAddress();
      this.loadPools();
      if (this.pool) await this.readAll();
    },

    readAddress() {
      const query = new URLSearchParams(location.search);
      this.pool = query.get('pool') || '';
      this.unknown = [...new Set(query.keys())].filter((name) => name !== 'pool').join(', ');
      document.title = (this.pool ? this.pool + ' · ' : '') + 'Policies · CloudPAM';
    },

    async loadPools() {
      try {
        const { items } = await get(['pools'], { limit: 1000 });
        this.pools = items.map((p) => p.id);
        this.roots = items.filter((p) => !p.parent).slice(0, 30).map((p) => ({ id: p.id, href: '/policies?pool=' + encodeURIComponent(p.id) }));
      } catch {
        // Only proposals: what cannot be read is told when a pool is asked for.
      }
    },

    restore() {
      this.readAddress();
      return this.pool ? this.readAll() : undefined;
    },

    forgetUnknown() {
      this.unknown = '';
      history.replaceState(null, '', '/policies' + words({ pool: this.pool }));
    },

    choose(event) {
      const pool = event.target.value.trim();
      if (pool === this.pool) return undefined;
      history.pushState(null, '', '/policies' + words({ pool }));
      return this.restore();
    },

    readAll() {
      this.asked = false;
      return Promise.all([this.readEffective(), this.readViolations()]);
    },

    async readEffective() {
      await read(this.effective, async () => {
        const [{ policies }, pool] = await Promise.all([get(['pools', this.pool, 'policy', 'effective']), get(['pools', this.pool])]);
        return { policies, pool, within: await above(pool) };
      }, ({ policies, pool, within }) => {
        this.within = within;
        this.own = Object.freeze(policies.find((p) => p.pool_uid === pool.uid) || null);
        this.policies = policies.map((p) => ({ id: p.uid, pool: p.pool, own: p.pool_uid === pool.uid, href: '/policies?pool=' + encodeURIComponent(p.pool), description: p.description, changed: moment(p.updated_at), rules: sentences(p.rules) }));
      });
    },

    readViolations() {
      [this.found, this.token] = [[], ''];
      return this.lookOn();
    },

    // lookOn reads pages until there is something to show: a page has what of it breaks a policy, which may be nothing.
    lookOn() {
      return read(this.violations, async () => {
        const all = [];
        let next = this.token;
        for (let i = 0; i < LOOKS && all.length < FOUND; i++) {
          const page = await get(['pools', this.pool, 'policy', 'violations'], { limit: 1000, page_token: next });
          all.push(...page.items);
          next = page.next_page_token || '';
          if (!next) break;
        }
        return { all, next };
      }, ({ all, next }) => {
        this.found = [...this.found, ...all.map((v) => ({ id: v.id, kind: v.kind, name: v.name, pool: v.pool, cidr: v.cidr, href: linkTo({ ...v, owner_id: v.id, status: 'allocated', scope: scopeOf(v.id) }), rules: v.violations.map((one) => one.rule.replace('/', ' ')).join(', '), why: v.violations.map((one) => one.detail).join(' ') }))];
        this.token = next;
      });
    },

    // tryIt asks the server what would become of an allocation: by the same code, with nothing left of it.
    async tryIt() {
      this.asked = true;
      const { name, block: size, labels, ...rest } = this.wish;
      const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value.trim()));
      await read(this.tried, async () => {
        try {
          const made = await attempt(['allocations'], { pool: this.pool, name: name.trim(), ...block(size), ...said, ...(labels.trim() && { labels: labelsOf(labels) }) });
          return { allowed: true, words: 'Allowed: it would get ' + made.cidr + '.', broken: [] };
        } catch (error) {
          if (error.status < 400 || error.status >= 500 || error.status === 401) throw error;
          return { allowed: false, words: error.violations.length ? 'Refused.' : error.title + ': ' + error.text, broken: error.violations.map((v, key) => ({ key, ...v })) };
        }
      }, ({ allowed, words: text, broken }) => Object.assign(this, { allowed, verdict: text, broken }));
    },

    edit() { edit(this.pool, this.own, () => this.readAll()); },
    takeAway() { takeAway(this.pool, this.own, () => this.readAll()); },
  };
}

// above are the pool and those around it: a role in one of them counts.
async function above(pool) {
  const ids = [pool.id];
  for (let at = pool; at.parent && ids.length < 32;) {
    at = await get(['pools', at.parent]).catch(() => ({}));
    if (at.id) ids.push(at.id);
  }
  return ids;
}

start({ policies });
