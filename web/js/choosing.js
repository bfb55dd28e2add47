// Rows that are chosen to be answered together: a box in each, one for all that are listed, and the key x.

// choosing is a part of a list's component. may says whether an item can be chosen, and what is what people call it.
export function choosing({ may, what }) {
  return {
    chosen: [],

    canChoose(id) { return Boolean(this.itemOf(id)) && may(this.itemOf(id)); },
    isChosen(id) { return this.chosen.includes(id); },
    chooseLabel(id) { return this.itemOf(id) ? 'Choose ' + what(this.itemOf(id)) : ''; },
    choose(id) {
      if (this.canChoose(id)) this.chosen = this.chosen.includes(id) ? this.chosen.filter((other) => other !== id) : [...this.chosen, id];
    },

    // chosenItems are those that still stand in the list, and can be chosen still.
    chosenItems() { return this.chosen.filter((id) => this.canChoose(id)).map((id) => this.itemOf(id)); },
    chosenWord() { return this.chosenItems().length ? this.chosenItems().length + ' chosen' : ''; },

    // chooseAll chooses what is listed as far as it was read, or nothing where all of that is chosen.
    chooseAll() {
      const all = this.rows.length ? this.itemIds().filter((id) => this.canChoose(id)) : [];
      this.chosen = all.every((id) => this.chosen.includes(id)) ? [] : all;
    },
    allChosen() { return this.chosen.length > 0 && this.chosen.length === this.itemIds().filter((id) => this.canChoose(id)).length; },
  };
}
