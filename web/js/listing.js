// What the pages of lists share: filters in the address, keyset pages, and the drawer with the details of one row.
import { get, isAbort } from './api.js';
import { report } from './toasts.js';

const PAGE = 100;

// listing is the part of a page's component that does not depend on what is listed. resource is both the address of the
// page and of the API; one names a single row of it; filters are parameters of the API; row and details shape the answers.
export function listing({ resource, one, filters, row, details, none }) {
  let request = new AbortController();
  const blank = () => Object.fromEntries(filters.map((name) => [name, '']));

  return {
    ...blank(),
    state: 'loading', rows: [], next: '', busy: false, focused: '', wrong: blank(), scopes: [], pools: [], detail: none, shown: '',

    async init() {
      this.readAddress();
      this.loadChoices();
      await this.load();
      const wanted = new URLSearchParams(location.search).get(one);
      if (wanted) this.open(wanted);
    },

    readAddress() {
      const query = new URLSearchParams(location.search);
      for (const name of filters) this[name] = query.get(name) || '';
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
      try {
        const page = await get([resource], { ...this.query(), limit: PAGE }, { signal: request.signal });
        this.wrong = blank();
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
        const page = await get([resource], { ...this.query(), limit: PAGE, page_token: this.next }, { signal: request.signal });
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
      for (const name of filters) wrong[name] = error.query ? error.query(name) : '';
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
      if (this.shown) query.set(one, this.shown);
      const text = query.toString();
      history.replaceState(null, '', '/' + resource + (text ? '?' + text : ''));
    },

    async open(id) {
      try {
        this.detail = details(await get([resource, id]));
      } catch (error) {
        report(error);
        return;
      }
      this.focused = id;
      this.shown = id;
      this.remember();
      if (!this.$refs.drawer.open) this.$refs.drawer.showModal();
    },

    // refresh asks again for one row that has just been changed.
    async refresh(id) {
      const fresh = row(await get([resource, id]));
      this.rows = this.rows.map((known) => (known.id === id ? fresh : known));
    },

    closeDrawer() { this.$refs.drawer.close(); },

    closed() {
      this.shown = '';
      this.remember();
      const at = document.querySelector('[data-' + one + '="' + CSS.escape(this.focused) + '"]');
      // The rows of a page that has just been opened are shown with the next frame, and what is hidden takes no focus.
      if (at) requestAnimationFrame(() => at.focus());
    },
  };
}
