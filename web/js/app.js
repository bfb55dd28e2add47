// What every page has: the shell with its theme, keyboard and sign-out, the toasts, and the start of Alpine.
import Alpine from './alpine.js';
import { signOut, who, why } from './api.js';
import { copyable } from './clipboard.js';
import { asking } from './form.js';
import { history } from './history.js';
import { moveFocus, isTyping } from './keys.js';
import { listen } from './live.js';
import { searching } from './search.js';
import * as session from './session.js';
import { report, toasts } from './toasts.js';

const THEMES = ['system', 'light', 'dark'];

// PLACES are where a key behind g leads.
const PLACES = { o: '/dashboard', y: '/analytics', e: '/policies', t: '/compare', p: '/pools', f: '/find', a: '/allocations', s: '/sets', r: '/reservations', h: '/holds', q: '/quarantine', c: '/accounts', n: '/networks', d: '/drift', v: '/approvals', i: '/imports', l: '/audit' };

function shell() {
  return {
    theme: document.documentElement.dataset.theme || 'system',
    leader: false,

    get themeName() { return 'Theme: ' + this.theme; },
    get themeLabel() { return 'Theme: ' + this.theme + '. Change it'; },
    get themeGlyph() { return this.theme; },

    cycleTheme() {
      this.theme = THEMES[(THEMES.indexOf(this.theme) + 1) % THEMES.length];
      if (this.theme === 'system') {
        localStorage.removeItem('cloudpam.theme');
        delete document.documentElement.dataset.theme;
        return;
      }
      localStorage.setItem('cloudpam.theme', this.theme);
      document.documentElement.dataset.theme = this.theme;
    },

    // signOut ends the session because the person asked for it, so nothing leads back.
    async signOut() {
      try {
        await signOut();
      } catch (error) {
        report(error, 'You are still signed in');
        return;
      }
      location.assign('/login');
    },
    openMe() { if (!this.$refs.me.open) this.$refs.me.showModal(); },
    closeMe() { this.$refs.me.close(); },
    openHelp() { if (!this.$refs.help.open) this.$refs.help.showModal(); },
    closeHelp() { this.$refs.help.close(); },

    search() { dispatchEvent(new CustomEvent('search')); },

    keydown(event) {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k' && !document.querySelector('dialog[open]') && document.querySelector('.shell')) {
        event.preventDefault();
        this.search();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target)) {
        if (event.key === 'Escape') event.target.blur();
        return;
      }
      if (document.querySelector('dialog[open]') || !document.querySelector('.shell')) return;
      if (this.leader) {
        this.leader = false;
        if (PLACES[event.key]) location.assign(PLACES[event.key]);
        return;
      }
      const search = document.querySelector('[data-search]');
      const make = document.querySelector('[data-new]');
      switch (event.key) {
        case 'g': this.leader = true; break;
        case '?': this.openHelp(); break;
        case 'n': if (make && make.offsetParent) { event.preventDefault(); make.click(); } break;
        case '/': event.preventDefault(); this.search(); break;
        case 'f': if (search) { event.preventDefault(); search.focus(); search.select(); } break;
        case 'j': case 'ArrowDown': if (moveFocus(1, event.key === 'j')) event.preventDefault(); break;
        case 'k': case 'ArrowUp': if (moveFocus(-1, event.key === 'k')) event.preventDefault(); break;
      }
    },
  };
}

// shown is what the server says of this browser before a page comes to life.
export let shown = { me: null, logins: [] };

// start registers the components of one page and brings it to life. Pages other than the login need somebody who is signed in. Where
// the server cannot say who that is, the page says what it could not read.
export async function start(components, access) {
  let failed = '';
  try {
    shown = await who();
  } catch (error) {
    failed = why(error);
  }
  if (access !== 'public' && !shown.me && !failed) {
    session.end('');
    return;
  }
  Alpine.store('toasts', toasts);
  Alpine.store('me', session.rights(shown.me));
  Alpine.data('shell', shell);
  for (const [name, component] of Object.entries({ copyable, asking, history, searching })) Alpine.data(name, component);
  for (const [name, component] of Object.entries(components)) Alpine.data(name, component);
  // On a phone the places are a row that is scrolled: where one is must be in sight.
  const here = document.querySelector('.links [aria-current]');
  if (here) here.parentElement.closest('.links').scrollLeft = here.offsetLeft - 40;
  Alpine.start();
  if (access !== 'public') listen();
}
