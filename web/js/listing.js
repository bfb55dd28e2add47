// What the pages of lists share: filters in the address, keyset pages, and the drawer with the details of one row.
import { get, isAbort, why } from './api.js';
import { plural } from './format.js';
import { listAddress } from './list-address.js';
import { listDrawer } from './list-drawer.js';
import { liveList } from './live-list.js';
import { again, rowsWindow } from './rows-window.js';
import { report } from './toasts.js';

// The first page is soon there; those that follow are few.
const PAGE = 100;
const NEXT = 500;

// AHEAD is how far below the window the end of the list may still be when the next rows are asked for.
const AHEAD = '600px';

// listing is the part of a page's component that does not depend on what is listed. resource is the address of the API, and of
// the page where place names no other; one names a single row of it; filters are parameters of the API; row and details shape
// the answers. counts says that the API can tell how many there are; listed are those for which the API has no address of their own.
export function listing({ resource, place = resource, one, filters, row, details, none, listed, counts }) {
  let request = new AbortController();
  let items = new Map();
  let asked = null; // what was asked last
  const blank = () => Object.fromEntries(filters.map((name) => [name, '']));

  return {
    ...listAddress({ place, one, filters }),
    ...rowsWindow(),
    ...listDrawer({ resource, one, details, listed }),
    ...liveList({ resource, counts, least: PAGE }),
    ...blank(),
    state: 'loading', why: '', stuck: false, total: undefined, rows: [], next: '', busy: false, focused: '', wrong: blank(), scopes: [], pools: [], detail: none, shown: '', unknown: '',

    async init() {
      this.readAddress();
      this.loadChoices();
      await this.load();
      const wanted = new URLSearchParams(location.search).get(one);
      if (wanted) this.open(wanted);
    },

    // watchMore asks for the next rows before the end of the list comes into sight.
    watchMore(element) {
      const watch = new IntersectionObserver(async (seen) => {
        if (!seen.some((entry) => entry.isIntersecting) || this.stuck || this.busy) return;
        await this.loadMore();
        again(watch, element);
      }, { rootMargin: AHEAD });
      watch.observe(element);
    },

    async loadChoices() {
      try {
        const [scopes, pools] = await Promise.all([get(['scopes'], { limit: 1000 }), get(['pools'], { limit: 1000 })]);
        this.scopes = scopes.items.map((scope) => scope.id);
        this.pools = pools.items.map((pool) => pool.id);
      } catch (error) {
        report(error, 'The choices of the filters could not be loaded');
      }
    },

    // retry asks for all that is missing.
    retry() {
      if (!this.scopes.length) this.loadChoices();
      return this.apply();
    },

    // counted says how many rows there are, once that was read.
    counted(noun) {
      if (this.state !== 'ready' || this.busy) return '';
      if (this.total !== undefined) return plural(this.total, noun);
      return this.next ? 'the first ' + this.knownRows() : plural(this.knownRows(), noun);
    },

    query() {
      return Object.fromEntries(filters.map((name) => [name, this[name].trim()]));
    },

    isFiltered() {
      return filters.some((name) => this[name].trim() !== '');
    },

    apply() {
      this.remember();
      return this.load();
    },

    reset() {
      for (const name of filters) this[name] = '';
      return this.apply();
    },

    // load asks for the first page. A newer question cancels the one before: answers never arrive out of order.
    async load() {
      request.abort();
      request = new AbortController();
      this.busy = true;
      // What an earlier answer said of another question is not said of this one.
      if (!this.rows.length) this.state = 'loading';
      asked = { query: this.query() };
      this.upToDate();
      try {
        const page = await get([resource], { ...asked.query, limit: PAGE, count: counts }, { signal: request.signal });
        this.wrong = blank();
        items = new Map();
        this.fill(page.items.map((item) => this.take(item)));
        this.follows(page);
        this.focused = this.rows.length ? this.rows[0].id : '';
        this.busy = false;
      } catch (error) {
        if (isAbort(error)) return;
        this.busy = false;
        this.fill([]);
        this.next = '';
        this.why = why(error);
        this.state = this.blames(error) ? 'wrong' : 'failed';
      }
    },

    // follows notes what a page says beside its items.
    follows(page) {
      this.stuck = false;
      this.total = page.total;
      this.next = page.next_page_token || '';
      this.state = this.knownRows() ? 'ready' : 'empty';
    },

    asked() { return asked; },

    // renew puts what was read anew in the place of what was there. A row that is as it was stays the same.
    renew(page) {
      const [before, rows] = [items, new Map(this.allRows().map((r) => [r.id, r]))];
      items = new Map();
      this.refill(page.items.map((item) => {
        const shaped = this.take(item);
        const old = rows.get(shaped.id);
        return old && JSON.stringify(before.get(shaped.id)) === JSON.stringify(item) ? old : shaped;
      }));
      this.follows(page);
      if (!items.has(this.focused)) this.focused = this.rows.length ? this.rows[0].id : '';
    },

    // itemOf is the answer that a row was made of, itemIds those of all that were read.
    itemOf(id) { return items.get(id); },
    itemIds() { return [...items.keys()]; },

    take(item) {
      const shaped = row(item);
      items.set(shaped.id, item);
      return shaped;
    },

    async loadMore() {
      if (this.busy || this.later() || !this.next) return;
      this.busy = true;
      try {
        const page = await get([resource], { ...this.query(), limit: NEXT, page_token: this.next }, { signal: request.signal });
        this.grow(page.items.map((item) => this.take(item)));
        this.next = page.next_page_token || '';
        this.busy = false;
        this.stuck = false;
      } catch (error) {
        if (isAbort(error)) return;
        this.busy = false;
        this.stuck = true;
        report(error, 'The next rows could not be loaded');
      }
    },

    // blames puts what the server says about a filter beside that filter, and reports whether it said such a thing.
    blames(error) {
      for (const name of filters) this.wrong[name] = error.query ? error.query(name) : '';
      return filters.some((name) => this.wrong[name]);
    },
  };
}
