// Which pool is chosen: in the tree, in the panel, in the address and in the title of the page.
import { followLink } from './keys.js';
import { newPool } from './pool-acts.js';
import { isOrder } from './pool-rows.js';

// scopeOf reads the scope out of a pool's id, which is its name alone in the scope default.
export function scopeOf(id) {
  return id.includes('.') ? id.split('.')[0] : 'default';
}

// selecting is the part of the page that chooses a pool; all answers the nodes of the tree.
export function selecting(all) {
  return {
    open(id) {
      this.selected = id;
      this.focused = id;
      this.remember();
      this.announce();
    },

    // reveal selects a pool that may be collapsed away or below the rows shown so far.
    reveal(id) {
      const at = all().findIndex((node) => node.pool.id === id);
      if (at < 0) {
        this.lost = id;
        this.selected = '';
        this.announce();
        return;
      }
      this.lost = '';
      for (let i = at, depth = all()[at].depth; i >= 0 && depth > 0; i--) {
        if (all()[i].depth < depth) {
          this.closed.delete(all()[i].pool.id);
          depth = all()[i].depth;
        }
      }
      this.limit = Math.max(this.limit, at + 1);
      this.refresh();
      this.open(id);
      this.$nextTick(() => {
        const row = document.querySelector('[data-pool="' + CSS.escape(id) + '"]');
        if (row) row.scrollIntoView({ block: 'nearest' });
      });
    },

    // restore follows the back button to the scope, the search and the pool that were looked at before.
    async restore() {
      const query = new URLSearchParams(location.search);
      const scope = query.get('scope') || scopeOf(query.get('pool') || '');
      this.q = query.get('q') || '';
      this.order = isOrder(query.get('sort')) ? query.get('sort') : '';
      this.selected = query.get('pool') || '';
      if (scope !== this.scope) {
        this.scope = scope;
        await this.load();
        return;
      }
      this.refresh();
      if (this.selected) this.reveal(this.selected); else this.announce();
    },

    // changed shows what a form has done to the pools, and opens the given one.
    async changed(id) {
      this.selected = id;
      await this.load({ quietly: true });
    },

    // enter opens the answer of a search: the innermost pool that matches.
    enter() {
      const wanted = this.rows.filter((row) => !row.dim);
      if (this.q.trim() && wanted.length) this.open(wanted.reduce((deep, row) => (row.level > deep.level ? row : deep)).id);
    },

    forgetUnknown() {
      this.unknown = '';
      this.lost = '';
      this.remember();
    },

    mayMake() { return this.$store.me.may('admin', this.scope, []); },
    makePool() { newPool({ scope: this.scope, done: (id) => this.changed(id) }); },

    followLink(event) { followLink(event); },

    // follow shows a pool under its new name: in the tree, in the address and in the panel, which stays open meanwhile.
    async follow({ was, now }) {
      this.renameClosed(was, now);
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

    // announce tells the panel which pool is chosen, or as 'pool-renewed' what became of it.
    announce(as = 'pool-opened') {
      const node = all().find((n) => n.pool.id === this.selected);
      document.title = (node ? node.pool.name + ' · ' : '') + 'Pools · CloudPAM';
      // A role in a pool counts in those below it.
      const within = [];
      for (let id = this.selected; id; id = (all().find((n) => n.pool.id === id) || { pool: {} }).pool.parent) within.push(id);
      if (node) this.$dispatch(as, { ...node, within }); else this.$dispatch('pool-none');
    },

    // remember keeps the view in the address, so that it can be sent to a colleague.
    remember() {
      const query = new URLSearchParams();
      if (this.scope !== 'default') query.set('scope', this.scope);
      if (this.q.trim()) query.set('q', this.q.trim());
      if (this.order) query.set('sort', this.order);
      if (this.selected) query.set('pool', this.selected);
      const text = query.toString();
      const address = '/pools' + (text ? '?' + text : '');
      if (address !== location.pathname + location.search) history.pushState(null, '', address);
    },
  };
}
