// A tree that changes in place: pools come, go and change while whoever reads it keeps the place, with what is open, chosen and focused.
import { calmly, difference } from './live.js';

// IDLE are the kinds of objects that move no block. Whatever else changes may change a figure.
const IDLE = ['session', 'token', 'principal', 'binding', 'webhook', 'policy', 'account', 'drift', 'approval'];

// REST is how long a tree is left alone after it was read.
const REST = 3000;

// livePools is a part of the page of pools; all answers the nodes of the tree.
export function livePools(all) {
  let run;

  return {
    news: '',

    // happened is told what kinds of objects have changed.
    happened({ anything, kinds }) {
      if (!anything && kinds.every((kind) => IDLE.includes(kind))) return;
      run = run || calmly(() => this.look(), REST);
      run();
    },

    // look reads the tree anew. What fails is left as it was, and the next change asks again.
    async look() {
      if (this.loading) run(); // what is on its way may be older than what has happened
      if (this.loading || !['ready', 'empty'].includes(this.state)) return;
      const fresh = await this.readTree().catch(() => null);
      if (fresh) this.renew(fresh);
    },

    // renew puts what was read anew in the place of what was there. A pool that has another name by now is the same one.
    renew(fresh) {
      const [was, now] = [all(), fresh].map((nodes) => new Map(nodes.map((node) => [node.pool.uid, text(node)])));
      const [before, wasReady] = [new Map(all().map((node) => [node.pool.uid, node])), this.ready];
      const words = difference(was, now);
      this.news = words && 'The pools have changed: ' + words;
      for (const { pool } of fresh) if (before.has(pool.uid)) this.renamed(before.get(pool.uid).pool.id, pool.id);
      if (words) this.keepFocus(() => this.take(fresh.map((node) => (was.get(node.pool.uid) === now.get(node.pool.uid) ? before.get(node.pool.uid) : node))));
      if (!wasReady && this.ready) this.openFirst();
      else if (this.selected && all().some((node) => node.pool.id === this.selected)) this.announce('pool-renewed');
      else if (this.selected) this.reveal(this.selected); // which says that it is gone
    },

    renamed(was, now) {
      if (was === now) return;
      this.renameClosed(was, now);
      if (this.focused === was) this.focused = now;
      if (this.selected !== was) return;
      this.selected = now;
      this.remember();
    },

    // keepFocus does something to the rows, and leaves the focus in the row where it was, or in the one that stands there now.
    keepFocus(change) {
      const row = document.activeElement.closest('.tree [data-pool]');
      const at = row ? this.rows.findIndex((r) => r.id === row.dataset.pool) : -1;
      const held = this.focused;
      change();
      if (at < 0 || !this.rows.length) return;
      this.focused = this.rows.some((r) => r.id === held) ? held : this.rows[Math.min(at, this.rows.length - 1)].id;
      this.$nextTick(() => {
        if (document.activeElement === document.body) document.querySelector('[data-pool="' + CSS.escape(this.focused) + '"]').focus({ preventScroll: true });
      });
    },
  };
}

// text is all that is shown of a node, its figures too, which follow from those below it.
function text({ figure, ...node }) { return JSON.stringify(node) + figure.used + '/' + figure.delegated + '/' + figure.quarantined; }
