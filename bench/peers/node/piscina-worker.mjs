import { move } from 'piscina';

export { burn, echo, square } from './tasks.mjs';

export const echoMoved = data => move(data);

export const die = () => process.exit(1);
