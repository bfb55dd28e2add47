import { signIn } from './api.js';
import { shown, start } from './app.js';
import * as session from './session.js';

// PROBLEMS are what a login by an issuer may have come to.
const PROBLEMS = {
  refused: 'The login was not accepted. Try again; the log of the server has the reason.',
  nobody: 'You are known to the issuer, but no rule here is about you. Ask an admin of CloudPAM.',
  silent: 'The issuer does not answer now. Try again, or sign in with a token.',
  unknown: 'There is no such login here.',
};

function login() {
  return {
    token: '',
    words: session.takeNotice() || PROBLEMS[new URLSearchParams(location.search).get('problem')] || '',
    busy: false,
    invalid: 'false',

    get doors() {
      const next = encodeURIComponent(session.destination());
      return shown.logins.map(({ name, label }) => ({ name, words: 'Sign in with ' + label, address: '/session/login/' + encodeURIComponent(name) + '?next=' + next }));
    },
    get hasDoors() { return shown.logins.length > 0; },

    // submit changes the token for a session, so that the browser need not keep it.
    async submit() {
      const token = this.token.trim();
      if (!token || this.busy) return;
      this.busy = true;
      this.words = '';
      this.invalid = 'false';
      try {
        await signIn(token);
      } catch (problem) {
        this.busy = false;
        this.words = problem.text;
        this.invalid = 'true';
        return;
      }
      location.replace(session.destination());
    },
  };
}

start({ login }, 'public');
