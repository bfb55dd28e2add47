// mix makes one component of several parts. Getters stay getters, which spreading would read once and for all.
export function mix(...parts) {
  return Object.defineProperties({}, Object.assign({}, ...parts.map(Object.getOwnPropertyDescriptors)));
}
