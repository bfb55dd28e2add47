// A page that is one list: its filters, its columns, and the drawer with one object. What is listed is said by a description.
import { choosing } from './choosing.js';
import { listing } from './listing.js';
import { rowOf, table } from './table.js';

const NONE = { id: '', title: '', cidr: '', lead: '', state: '', stateWord: '', why: '', facts: [], links: [], acts: [], terraform: '', history: '', table: [], heads: [] };

// records makes the component of page/records.html. Besides what listing takes: plural and one name the things; fields are the
// filters, each {name, label, placeholder, mono, options, list}; columns are {head, class, cell(item)}; empty, filteredEmpty and
// example teach; acts(component) are the buttons of the head, and chooses says which rows
// can be chosen for them, see choosing.js.
export function records({ resource, place, one, noun, search, fields, columns, details, empty, example = '', acts, id = (item) => item.id, listed, counts, chooses = { may: () => false, what: String } }) {
  const filters = [...(search ? ['q'] : []), ...fields.map((f) => f.name)];
  const at = place || resource;
  const row = rowOf({ place: at, one, columns, id });
  const list = listing({ resource, place, one, filters, row, details: (item, list) => ({ ...NONE, ...details(item, list) }), none: NONE, listed, counts });

  return {
    ...list,
    ...table({ resource, place: at, one, columns }),
    ...choosing(chooses),
    fields, search: search || '', example, unfolded: false,

    get filtered() { return this.isFiltered(); },
    get summary() { return this.counted(noun); },
    get emptyTitle() { return this.filtered ? 'Nothing matches these filters.' : empty[0]; },
    get emptyText() { return this.filtered ? 'Every filter must hold at once. “Within” lists what lies inside a CIDR, “Contains” what covers an address.' : empty[1]; },
    get failedText() { return 'The ' + noun + 's could not be loaded.'; },
    get headActs() { return acts ? acts(this) : []; },
    get filterWord() { return 'Filters' + (this.filtered ? ' (' + this.filterCount() + ')' : ''); },
    get historyOf() { return this.detail.history; },
    get hasHistory() { return Boolean(this.detail.history); },

    // tell opens the drawer with something that is no row.
    tell(detail) {
      this.detail = { ...NONE, ...detail };
      if (!this.$refs.drawer.open) this.$refs.drawer.showModal();
    },

    filterCount() { return filters.filter((name) => this[name].trim()).length; },
    optionsOf(field) { return field.options || this[field.list].map((value) => [value, value]); },
    filterValue(field) { return this[field.name]; },
    wrongOf(field) { return this.wrong[field.name]; },
    setFilter(field, event) {
      this[field.name] = event.target.value;
      this.apply();
    },
  };
}
