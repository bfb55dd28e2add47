import { start } from './app.js';

start({}, 'public');
