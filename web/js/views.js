// How a list is looked at: which columns it has, in which order it stands, and views that somebody wants back. All of it is in the
// address, so that it can be sent; what was saved is an address with a name, in this browser.

const KEY = 'cloudpam.views';

// MOST is how many views of a page are kept.
const MOST = 30;

// views is a part of a list's component. place is its page, columns are all that it has.
export function views({ place, columns }) {
  return {
    hide: '', saved: saved(place), viewName: '',

    shownColumns() { return columns.filter((column) => this.shows(column)); },
    shows(column) { return !this.hide.split(',').includes(column.head); },

    // turn shows a column, or leaves it out. The one that opens a row stays.
    turn(column) {
      const hidden = columns.filter((one) => (one === column || one.head === column.head ? this.shows(one) : !this.shows(one)));
      this.hide = hidden.map((one) => one.head).join(',');
      this.remember();
    },

    // order stands the list in the order of a column, and in the next one that it has when it is chosen again.
    order(column) {
      const at = column.sort.indexOf(this.sort);
      this.sort = column.sort[at + 1] || (at < 0 ? column.sort[0] : '');
      return this.apply();
    },
    orderOf(column) { return column.sort && column.sort.includes(this.sort) ? (column.sort.indexOf(this.sort) ? 'descending' : 'ascending') : null; },

    shutMenu() { this.$refs.menu.open = false; },

    saveView() {
      const name = this.viewName.trim();
      if (!name) return;
      keep(place, [...saved(place).filter((view) => view.name !== name), { name, href: location.pathname + location.search }]);
      [this.viewName, this.saved] = ['', saved(place)];
    },

    dropView(name) {
      keep(place, saved(place).filter((view) => view.name !== name));
      this.saved = saved(place);
    },
  };
}

// saved reads what this browser keeps. An address that is none of this page, whoever wrote it there, is left out.
function saved(place) {
  try {
    const all = JSON.parse(localStorage.getItem(KEY) || '{}')[place] || [];
    return all.filter(({ name, href }) => typeof name === 'string' && new RegExp('^/' + place + '(\\?|$)').test(href));
  } catch {
    return [];
  }
}

function keep(place, list) {
  const all = (() => {
    try {
      return JSON.parse(localStorage.getItem(KEY) || '{}');
    } catch {
      return {};
    }
  })();
  localStorage.setItem(KEY, JSON.stringify({ ...all, [place]: list.slice(-MOST) }));
}
