// The address of a list: its filters, the row that is open, and what no filter is called.

// listAddress is the part of a list's component that reads and writes the address.
export function listAddress({ place, one, filters }) {
  return {
    readAddress() {
      const query = new URLSearchParams(location.search);
      for (const name of filters) this[name] = query.get(name) || '';
      this.hide = query.get('hide') || '';
      this.unknown = [...new Set(query.keys())].filter((name) => !filters.includes(name) && name !== one && name !== 'new' && name !== 'hide').join(', ');
    },

    forgetUnknown() {
      this.unknown = '';
      this.remember();
    },

    // restore follows the back button: to other filters, and to the row that was open.
    async restore() {
      const before = JSON.stringify(this.query());
      this.readAddress();
      const wanted = new URLSearchParams(location.search).get(one) || '';
      if (!wanted && this.$refs.drawer.open) this.$refs.drawer.close();
      if (JSON.stringify(this.query()) !== before) await this.load();
      if (wanted && wanted !== this.shown) await this.open(wanted);
    },

    remember() {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(this.query())) if (value) query.set(name, value);
      if (this.hide) query.set('hide', this.hide);
      if (this.shown) query.set(one, this.shown);
      const text = query.toString();
      const address = '/' + place + (text ? '?' + text : '');
      // What was looked at before can be gone back to.
      if (address !== location.pathname + location.search) history.pushState(null, '', address);
    },
  };
}
