export * from './core/index.ts'
export * from './embedded/index.ts'
export * from './light/index.ts'
