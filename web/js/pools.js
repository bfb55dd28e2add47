import { get, isAbort, why } from './api.js';
import { start } from './app.js';
import { figures } from './figures.js';
import { firstCommands } from './first-commands.js';
import { plural } from './format.js';
import { livePools } from './pool-live.js';
import { poolPanel } from './pool-panel.js';
import { buildRow, found, isOrder, ordered, summarize } from './pool-rows.js';
import { scopeOf, selecting } from './pool-selection.js';
import { drawBar } from './space-bar.js';
import { report } from './toasts.js';
import { folding, treeKeys } from './tree-keys.js';

// PAGE is how many rows are in the document at once: a tree of 5,000 pools must open as fast as one of 50.
const PAGE = 200;

function pools() {
  const url = new URLSearchParams(location.search);
  // Frozen nodes are not made reactive by Alpine, which would cost more than drawing them.
  let nodes = [];
  let request = new AbortController();

  return {
    ...treeKeys(),
    ...selecting(() => nodes),
    ...livePools(() => nodes),
    ...folding(() => nodes.filter((node) => node.hasChildren).map((node) => node.pool.id)),
    state: 'loading',
    loading: false,
    why: '',
    scope: url.get('scope') || scopeOf(url.get('pool') || ''),
    scopes: [],
    q: url.get('q') || '',
    order: isOrder(url.get('sort')) ? url.get('sort') : '',
    selected: url.get('pool') || '',
    focused: '',
    rows: [],
    stats: [],
    steps: [],
    summary: '',
    truncated: false,
    lost: '',
    unknown: '',
    limit: PAGE,
    hidden: 0,

    get ready() { return this.state === 'ready'; },
    get nothing() { return this.state === 'ready' && this.rows.length === 0; },
    get moreLabel() { return 'Show more (' + this.hidden + ' hidden)'; },

    async init() {
      this.unknown = [...new URLSearchParams(location.search).keys()].filter((name) => !['scope', 'q', 'pool', 'sort'].includes(name)).join(', ');
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

    // readTree asks for the tree. A newer question cancels the one before: a slow answer never shows another scope.
    async readTree() {
      request.abort();
      request = new AbortController();
      const tree = await get(['pool-tree'], { scope: this.scope }, { signal: request.signal });
      const of = figures(tree.items);
      this.truncated = tree.truncated;
      return tree.items.map((node, i) => Object.freeze({ ...node, figure: of.get(node.pool.id), hasChildren: i + 1 < tree.items.length && tree.items[i + 1].depth > node.depth }));
    },

    async load({ quietly = false } = {}) {
      this.loading = true;
      if (!quietly) this.state = 'loading';
      try {
        this.take(await this.readTree());
      } catch (error) {
        if (isAbort(error)) return;
        this.why = why(error);
        this.state = 'failed';
      }
      this.loading = false;
      if (this.ready) this.$nextTick(() => this.openFirst());
    },

    // take shows the nodes of a tree.
    take(all) {
      nodes = all;
      if (!nodes.length) this.steps = firstCommands(location.origin, this.scope);
      this.stats = summarize(nodes);
      this.refresh();
      this.state = nodes.length ? 'ready' : 'empty';
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
      const wanted = this.q.trim() ? found(nodes, this.q) : null;
      const rows = this.order ? ordered(nodes, this.order, this.q) : [];
      let hiddenBelow = Infinity;
      for (const node of this.order ? [] : nodes) {
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

    searched() {
      this.limit = PAGE;
      this.refresh();
      this.remember();
    },

    // sort lists the pools flat in an order, and as a tree when it is chosen again.
    sort(order) {
      this.order = this.order === order ? '' : order;
      this.refresh();
      this.remember();
    },
    sorted(order) { return this.order === order ? 'descending' : null; },

    showMore() {
      this.limit += PAGE;
      this.refresh();
    },

    changeScope() {
      this.selected = '';
      this.q = '';
      this.limit = PAGE;
      this.announce();
      this.remember();
      this.load();
    },

    bar(svg, node) { drawBar(svg, node); },
  };
}

start({ pools, poolPanel });
