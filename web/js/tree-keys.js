// The tree of pools under the hand: what is folded, and the keys.

const COLLAPSED = 'cloudpam.collapsed';

// folding is the part of the page that folds pools; parents answers the ids of those that have children.
export function folding(parents) {
  return {
    closed: new Set(JSON.parse(localStorage.getItem(COLLAPSED) || '[]')),

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
      for (const id of parents()) this.closed.add(id);
      this.keepCollapsed();
    },

    keepCollapsed() {
      localStorage.setItem(COLLAPSED, JSON.stringify([...this.closed]));
      this.refresh();
    },

    // renameClosed keeps a pool folded under its new name.
    renameClosed(was, now) {
      if (this.closed.delete(was)) this.closed.add(now);
      localStorage.setItem(COLLAPSED, JSON.stringify([...this.closed]));
    },
  };
}

export function treeKeys() {
  return {
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
  };
}
