export default { serverExternalPackages: ['millrace'] }
