import { get, isAbort } from './api.js';
import { start } from './app.js';
import { age, labelText, moment, plural } from './format.js';
import { allocationImport } from './terraform.js';
import { report } from './toasts.js';

const PAGE = 100;
const FILTERS = ['q', 'within', 'contains', 'pool', 'scope'];
const NONE = { name: '', cidr: '', description: '', facts: [], poolLink: '', terraform: '' };

function allocations() {
  let request = new AbortController();

  return {
    q: '', within: '', contains: '', pool: '', scope: '',
    state: 'loading', rows: [], next: '', busy: false, focused: '', wrong: {}, scopes: [], pools: [], detail: NONE, shown: '',

    get filtered() { return FILTERS.some((name) => this[name].trim() !== ''); },
    get summary() {
      if (this.state !== 'ready') return '';
      return this.next ? 'the first ' + this.rows.length : plural(this.rows.length, 'allocation');
    },
    get example() { return 'resource "cloudpam_allocation" "app" {\n  pool          = "prod"\n  name          = "app"\n  prefix_length = 24\n}'; },

    async init() {
      this.wrong = { q: '', within: '', contains: '', pool: '', scope: '' };
      this.readAddress();
      this.loadChoices();
      await this.load();
      const wanted = new URLSearchParams(location.search).get('allocation');
      if (wanted) this.open(wanted);
    },

    readAddress() {
      const query = new URLSearchParams(location.search);
      for (const name of FILTERS) this[name] = query.get(name) || '';
    },

    // restore follows the back button.
    restore() {
      this.readAddress();
      this.load();
    },

    async loadChoices() {
      try {
        const [scopes, pools] = await Promise.all([get(['scopes'], { limit: 1000 }), get(['pools'], { limit: 1000 })]);
        this.scopes = scopes.items.map((scope) => scope.id);
        this.pools = pools.items.map((pool) => pool.id);
      } catch (error) {
        report(error);
      }
    },

    query() {
      return Object.fromEntries(FILTERS.map((name) => [name, this[name].trim()]));
    },

    apply() {
      this.remember();
      return this.load();
    },

    reset() {
      for (const name of FILTERS) this[name] = '';
      return this.apply();
    },

    // load asks for the first page. A newer question cancels the one before: answers never arrive out of order.
    async load() {
      request.abort();
      request = new AbortController();
      this.busy = true;
      try {
        const page = await get(['allocations'], { ...this.query(), limit: PAGE }, { signal: request.signal });
        this.wrong = { q: '', within: '', contains: '', pool: '', scope: '' };
        this.rows = page.items.map(row);
        this.next = page.next_page_token || '';
        this.state = this.rows.length ? 'ready' : 'empty';
        this.focused = this.rows.length ? this.rows[0].id : '';
        this.busy = false;
      } catch (error) {
        this.refused(error);
      }
    },

    async loadMore() {
      if (!this.next || this.busy) return;
      this.busy = true;
      try {
        const page = await get(['allocations'], { ...this.query(), limit: PAGE, page_token: this.next }, { signal: request.signal });
        this.rows = [...this.rows, ...page.items.map(row)];
        this.next = page.next_page_token || '';
        this.busy = false;
      } catch (error) {
        this.refused(error);
      }
    },

    // refused puts what the server says about a filter beside that filter, and anything else into a toast.
    refused(error) {
      if (isAbort(error)) return;
      this.busy = false;
      const wrong = {};
      for (const name of FILTERS) wrong[name] = error.query ? error.query(name) : '';
      if (Object.values(wrong).some(Boolean)) {
        this.wrong = wrong;
        return;
      }
      if (!this.rows.length) this.state = 'failed';
      report(error);
    },

    remember() {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(this.query())) if (value) query.set(name, value);
      if (this.shown) query.set('allocation', this.shown);
      const text = query.toString();
      history.replaceState(null, '', '/allocations' + (text ? '?' + text : ''));
    },

    async open(id) {
      try {
        this.detail = details(await get(['allocations', id]));
      } catch (error) {
        report(error);
        return;
      }
      this.focused = id;
      this.shown = id;
      this.remember();
      if (!this.$refs.drawer.open) this.$refs.drawer.showModal();
    },

    closeDrawer() { this.$refs.drawer.close(); },

    closed() {
      this.shown = '';
      this.remember();
      const row = document.querySelector('[data-allocation="' + CSS.escape(this.focused) + '"]');
      if (row) row.focus();
    },
  };
}

function row(a) {
  return Object.freeze({ id: a.id, cidr: a.cidr, name: a.name, pool: a.pool, owner: a.owner, account: a.account, region: a.region, environment: a.environment, age: age(a.created_at), created: moment(a.created_at) });
}

function details(a) {
  const all = [
    ['Pool', a.pool], ['Scope', a.scope], ['Owner', a.owner], ['Purpose', a.purpose], ['Account', a.account, true], ['Region', a.region], ['Environment', a.environment],
    ['Labels', labelText(a.labels)], ['Id', a.id, true], ['Version', String(a.version), true], ['Created', moment(a.created_at)], ['Changed', moment(a.updated_at)],
  ];
  return {
    name: a.name, cidr: a.cidr, description: a.description, terraform: allocationImport(a),
    poolLink: '/pools?' + new URLSearchParams({ scope: a.scope, pool: a.pool }),
    facts: all.filter(([, value]) => value).map(([name, value, mono]) => ({ name, value, mono: Boolean(mono) })),
  };
}

start({ allocations });
