// What others change is told while a page stands open, by server-sent events. Where there is no stream, a page is as it was read.
const ADDRESS = '/api/v1/events/stream';

let source = null;
let last = '';

// listen hears what happens as long as the page is in sight: a browser has few connections for all of its tabs.
export function listen() {
  document.addEventListener('visibilitychange', () => (document.visibilityState === 'visible' ? open() : close()));
  addEventListener('pagehide', close);
  addEventListener('pageshow', open);
  open();
}

function open() {
  if (source || document.visibilityState !== 'visible') return;
  source = new EventSource(ADDRESS + (last ? '?after=' + encodeURIComponent(last) : ''));
  source.addEventListener('ready', (message) => { last = message.lastEventId; });
  source.addEventListener('lost', (message) => tell(message, true));
  source.addEventListener('events', (message) => tell(message, false));
  // What ended it, a login that is over or a role that was taken, is said by the next request of the page.
  source.addEventListener('end', close);
}

function close() {
  if (source) source.close();
  source = null;
}

// tell hands on what kinds of objects have changed, or that anything may have.
function tell({ data, lastEventId }, anything) {
  last = lastEventId;
  const kinds = anything ? [] : [...new Set(JSON.parse(data).items.map((event) => event.object_kind))];
  dispatchEvent(new CustomEvent('happened', { detail: { anything, kinds } }));
}

// calmly calls something soon after it was asked for, and at most once in a while, however often it is asked for.
export function calmly(run, rest = 1500, soon = 150) {
  let waiting = 0;
  let ran = 0;
  return () => {
    if (waiting) return;
    waiting = setTimeout(async () => {
      await run();
      waiting = 0;
      ran = Date.now();
    }, Math.max(soon, ran + rest - Date.now()));
  };
}
