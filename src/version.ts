/** The release, as `workers.version` and the logs name it; a test compares it with package.json. */
export const version = '0.1.0'
