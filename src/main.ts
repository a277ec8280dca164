import { readProgram } from './cli/program.ts';
import { run } from './cli/run.ts';

const { env, stdin, stdout, stderr } = process;
const { program, argv } = readProgram(process.argv[1], process.argv.slice(2));
process.exitCode = await run(argv, { env, stdin, stdout, stderr }, program);
