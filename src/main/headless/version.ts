// The version of the product, from the one place that says it; a build takes it in.
export { version } from '../../../package.json'
