import { get } from './api.js';
import { start } from './app.js';
import * as session from './session.js';

function login() {
  return {
    token: '',
    words: session.takeNotice(),
    busy: false,
    invalid: 'false',

    // submit asks for something every role may read: the answer tells whether the token is good.
    async submit() {
      const token = this.token.trim();
      if (!token || this.busy) return;
      this.busy = true;
      this.words = '';
      this.invalid = 'false';
      try {
        await get(['scopes'], { limit: 1 }, { token });
      } catch (problem) {
        this.busy = false;
        this.words = problem.text;
        this.invalid = 'true';
        return;
      }
      session.begin(token);
      location.replace(session.destination());
    },
  };
}

start({ login }, 'public');
