// The one import of the vendored Alpine, so that its version stands in one place of the scripts.
export { default } from '../vendor/alpine-csp-3.17.4.min.js';
