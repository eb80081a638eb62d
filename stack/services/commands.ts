import { execFile } from "node:child_process";

import { ServiceError } from "./service.ts";

/** A program that runs to its end; `remedy` tells what to do when it fails. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly remedy: string;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
}

const outputBytesMax = 16 * 1_024 * 1_024;

/**
 * Runs it and gives what it wrote to both outputs.
 *
 * @throws ServiceError with its output when it fails.
 */
export function runCommand(command: Command): Promise<string> {
  const { program, args, remedy, cwd, uid, gid } = command;
  const options = {
    maxBuffer: outputBytesMax,
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  };
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`;
      if (!error) return resolve(output);
      const told = output.trim().slice(-2_000) || error.message;
      reject(new ServiceError(`${program} failed: ${told}\n${remedy}`, { cause: error }));
    });
  });
}
