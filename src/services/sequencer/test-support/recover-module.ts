export { nativeRecover as recover } from './native-recover.ts'
