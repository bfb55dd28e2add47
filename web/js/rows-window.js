// A window over a long list: ten thousands of rows are known, and some hundreds of them are in the document. What left it above is a
// gap of the same height, so that nothing jumps.

// MOST is how many rows are in the document, STEP how many come and go at a time.
const MOST = 600;
const STEP = 300;

// AHEAD is how far out of sight rows come and go.
const AHEAD = '600px';

// rowsWindow is a part of a list's component, which has rows.
export function rowsWindow() {
  let known = [];
  let from = 0;

  return {
    above: 0, below: false,

    // Methods, since a list's component is spread, which would read a getter once and for all.
    aboveStyle() { return { height: this.above + 'px' }; },
    knownRows() { return known.length; },

    // fill begins anew with what was read.
    fill(rows) {
      known = rows;
      from = 0;
      this.above = 0;
      this.rows = known.slice(0, MOST);
      this.below = known.length > MOST;
    },

    allRows() { return known; },

    // refill puts other rows in the place of those that are known, and stays where it is.
    refill(rows) {
      known = rows;
      from = Math.min(from, Math.max(0, known.length - STEP));
      this.rows = known.slice(from, from + MOST);
      this.below = from + MOST < known.length;
    },

    // grow adds what was read next, and shows its begin.
    grow(rows) {
      known = known.concat(rows);
      this.later();
    },

    // put replaces a row by what became of it.
    put(fresh) {
      known = known.map((row) => (row.id === fresh.id ? fresh : row));
      this.rows = this.rows.map((row) => (row.id === fresh.id ? fresh : row));
    },

    // later shows the known rows that follow, and reports whether there are any.
    later() {
      const end = Math.min(known.length, from + this.rows.length + STEP);
      if (end === from + this.rows.length) return false;
      this.show(Math.max(from, end - MOST), end);
      return true;
    },

    earlier() {
      if (!from) return;
      const start = Math.max(0, from - STEP);
      this.show(start, Math.min(known.length, start + MOST));
    },

    show(start, end) {
      const lower = start - from;
      if (lower > 0) this.above += height(lower);
      from = start;
      this.rows = known.slice(start, end);
      this.below = end < known.length;
      if (lower < 0) this.$nextTick(() => { this.above = from ? Math.max(1, this.above - height(-lower)) : 0; });
    },

    // watchAbove brings the rows back that left, before their gap comes into sight.
    watchAbove(element) {
      const watch = new IntersectionObserver((seen) => {
        if (!seen.some((entry) => entry.isIntersecting) || !from) return;
        this.earlier();
        again(watch, element);
      }, { rootMargin: AHEAD });
      watch.observe(element);
    },
  };
}

// again has an observer tell of an element anew: it only tells of changes, and after a jump what was in sight may be so still.
export function again(watch, element) {
  requestAnimationFrame(() => requestAnimationFrame(() => {
    watch.unobserve(element);
    watch.observe(element);
  }));
}

// height is that of the first n rows.
function height(n) {
  return [...document.querySelectorAll('main tr[data-row]')].slice(0, n).reduce((sum, row) => sum + row.getBoundingClientRect().height, 0);
}
