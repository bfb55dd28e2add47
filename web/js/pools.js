import { get, isAbort, why } from './api.js';
import { start } from './app.js';
import { parse } from './cidr.js';
import { plural } from './format.js';
import { firstCommands } from './first-commands.js';
import { poolPanel } from './pool-panel.js';
import { buildRow, matches, summarize } from './pool-rows.js';
import { drawBar } from './space-bar.js';
import { report } from './toasts.js';

// PAGE is how many rows are in the document at once: a tree of 5,000 pools must open as fast as one of 50.
const PAGE = 200;
const COLLAPSED = 'cloudpam.collapsed';

function pools() {
  const url = new URLSearchParams(location.search);
  // Frozen nodes are not made reactive by Alpine, which would cost more than drawing them.
  let nodes = [];
  let request = new AbortController();

  return {
    state: 'loading',
    why: '',
    scope: url.get('scope') || scopeOf(url.get('pool') || ''),
    scopes: [],
    q: url.get('q') || '',
    selected: url.get('pool') || '',
    focused: '',
    rows: [],
    stats: [],
    steps: [],
    summary: '',
    truncated: false,
    limit: PAGE,
    hidden: 0,
    closed: new Set(JSON.parse(localStorage.getItem(COLLAPSED) || '[]')),

    get ready() { return this.state === 'ready'; },
    get nothing() { return this.state === 'ready' && this.rows.length === 0; },
    get moreLabel() { return 'Show more (' + this.hidden + ' hidden)'; },

    async init() {
      await Promise.all([this.loadScopes(), this.load()]);
    },

    async loadScopes() {
      try {
        const page = await get(['scopes'], { limit: 1000 });
        this.scopes = [...new Set([this.scope, ...page.items.map((scope) => scope.id)])].sort();
      } catch (error) {
        report(error, 'The scopes could not be loaded');
      }
    },

    // load asks for the tree. A newer question cancels the one before: a slow answer never shows another scope.
    async load({ quietly = false } = {}) {
      request.abort();
      request = new AbortController();
      if (!quietly) this.state = 'loading';
      try {
        const tree = await get(['pool-tree'], { scope: this.scope }, { signal: request.signal });
        nodes = tree.items.map((node, i) => Object.freeze({ ...node, hasChildren: i + 1 < tree.items.length && tree.items[i + 1].depth > node.depth }));
        this.truncated = tree.truncated;
      } catch (error) {
        if (isAbort(error)) return;
        this.why = why(error);
        this.state = 'failed';
        return;
      }
      if (!nodes.length) {
        this.steps = firstCommands(location.origin, this.scope);
        this.state = 'empty';
        return;
      }
      this.stats = summarize(nodes);
      this.refresh();
      this.state = 'ready';
      this.$nextTick(() => this.openFirst());
    },

    // openFirst opens the pool of the address, else on a wide screen the first one, so that the page explains itself.
    openFirst() {
      if (this.selected) {
        this.reveal(this.selected);
      } else if (matchMedia('(min-width: 1241px)').matches && this.rows.length) {
        this.selected = this.rows[0].id;
        this.announce();
      }
    },

    // refresh computes the rows that stand on the page from the tree, what is collapsed, and the search.
    refresh() {
      const wanted = this.q.trim() ? this.found() : null;
      const rows = [];
      let hiddenBelow = Infinity;
      for (const node of nodes) {
        if (wanted ? !wanted.has(node.pool.id) : node.depth > hiddenBelow) continue;
        const open = wanted !== null || !this.closed.has(node.pool.id);
        hiddenBelow = open ? Infinity : node.depth;
        rows.push({ node, open, dim: wanted !== null && !wanted.get(node.pool.id) });
      }
      this.rows = rows.slice(0, this.limit).map(({ node, open, dim }) => buildRow(node, open, dim));
      this.hidden = Math.max(0, rows.length - this.limit);
      const roots = nodes.filter((node) => node.depth === 0).length;
      this.summary = plural(nodes.length, 'pool') + ', ' + plural(roots, 'root');
      if (!this.rows.some((row) => row.id === this.focused)) this.focused = this.rows.length ? this.rows[0].id : '';
    },

    // found maps the pools that match the search to true, and their ancestors, which keep the tree readable, to false.
    found() {
      const text = this.q.trim().toLowerCase();
      const range = /[.:]/.test(text) ? parse(text) : null;
      const wanted = new Map();
      const path = [];
      for (const node of nodes) {
        path.length = node.depth;
        path.push(node.pool.id);
        if (!matches(node.pool, text, range)) continue;
        for (const id of path) if (!wanted.has(id)) wanted.set(id, false);
        wanted.set(node.pool.id, true);
      }
      return wanted;
    },

    searched() {
      this.limit = PAGE;
      this.refresh();
      this.remember();
    },

    showMore() {
      this.limit += PAGE;
      this.refresh();
    },

    toggle(id) {
      if (this.q.trim()) return;
      if (this.closed.has(id)) this.closed.delete(id); else this.closed.add(id);
      this.keepCollapsed();
    },

    expandAll() {
      this.closed.clear();
      this.keepCollapsed();
    },

    collapseAll() {
      for (const node of nodes) if (node.hasChildren) this.closed.add(node.pool.id);
      this.keepCollapsed();
    },

    keepCollapsed() {
      localStorage.setItem(COLLAPSED, JSON.stringify([...this.closed]));
      this.refresh();
    },

    open(id) {
      this.selected = id;
      this.focused = id;
      this.remember();
      this.announce();
    },

    // reveal selects a pool that may be collapsed away or below the rows shown so far.
    reveal(id) {
      const at = nodes.findIndex((node) => node.pool.id === id);
      if (at < 0) {
        this.unselect();
        return;
      }
      for (let i = at, depth = nodes[at].depth; i >= 0 && depth > 0; i--) {
        if (nodes[i].depth < depth) {
          this.closed.delete(nodes[i].pool.id);
          depth = nodes[i].depth;
        }
      }
      this.limit = Math.max(this.limit, at + 1);
      this.refresh();
      this.open(id);
    },

    // follow shows a pool under its new name: in the tree, in the address and in the panel, which stays open meanwhile.
    async follow({ was, now }) {
      if (this.closed.delete(was)) this.closed.add(now);
      localStorage.setItem(COLLAPSED, JSON.stringify([...this.closed]));
      this.selected = now;
      this.remember();
      await this.load({ quietly: true });
    },

    unselect() {
      const was = this.selected;
      this.selected = '';
      this.remember();
      this.announce();
      this.$nextTick(() => {
        const row = document.querySelector('[data-pool="' + CSS.escape(was) + '"]');
        if (row) row.focus();
      });
    },

    announce() {
      const node = nodes.find((n) => n.pool.id === this.selected);
      if (node) this.$dispatch('pool-opened', node); else this.$dispatch('pool-none');
    },

    changeScope() {
      this.selected = '';
      this.q = '';
      this.limit = PAGE;
      this.announce();
      this.remember();
      this.load();
    },

    // remember keeps the view in the address, so that it can be sent to a colleague.
    remember() {
      const query = new URLSearchParams();
      if (this.scope !== 'default') query.set('scope', this.scope);
      if (this.q.trim()) query.set('q', this.q.trim());
      if (this.selected) query.set('pool', this.selected);
      const text = query.toString();
      history.replaceState(null, '', '/pools' + (text ? '?' + text : ''));
    },

    rowKey(event, row) {
      if (event.target !== event.currentTarget) return;
      switch (event.key) {
        case 'Enter': case ' ':
          event.preventDefault();
          this.open(row.id);
          break;
        case 'ArrowRight':
          event.preventDefault();
          if (row.twist === 'closed') this.toggle(row.id); else if (row.twist === 'open') this.step(row.id, 1);
          break;
        case 'ArrowLeft':
          event.preventDefault();
          if (row.twist === 'open' && !this.q.trim()) this.toggle(row.id); else this.toParent(row);
          break;
      }
    },

    step(id, by) {
      const next = this.rows[this.rows.findIndex((row) => row.id === id) + by];
      if (next) this.focusRow(next.id);
    },

    toParent(row) {
      for (let i = this.rows.findIndex((r) => r.id === row.id); i >= 0; i--) {
        if (this.rows[i].level < row.level) {
          this.focusRow(this.rows[i].id);
          return;
        }
      }
    },

    focusRow(id) {
      this.focused = id;
      document.querySelector('[data-pool="' + CSS.escape(id) + '"]').focus();
    },

    bar(svg, node) { drawBar(svg, node); },
  };
}

// scopeOf reads the scope out of a pool's id, which is its name alone in the scope default.
function scopeOf(id) {
  return id.includes('.') ? id.split('.')[0] : 'default';
}

start({ pools, poolPanel });
