import { runShared } from './shared-process.ts';

await runShared('image');
