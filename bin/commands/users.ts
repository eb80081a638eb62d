import { Command, Option } from "commander";

import type { Role } from "../../api/access/contract.ts";
import { AccountBook, type AccountName } from "../../connectors/accounts/index.ts";
import { nameOf, unknownAccount } from "../accounts/account-name.ts";
import { givenPassword, type PasswordOptions } from "../accounts/given-password.ts";
import { CommandFailure } from "../command-failure.ts";
import { jsonOf } from "../log/printable.ts";
import { commandOnDatabase, type OptionsOnDatabase, wholeNumber } from "../program.ts";
import { connect } from "../system/connect.ts";
import { table } from "../table.ts";

interface JsonOptions extends OptionsOnDatabase {
  readonly json?: true;
}

interface AddOptions extends JsonOptions, PasswordOptions {
  readonly role: Role;
  readonly name?: string;
  readonly email?: string;
}

interface OfOptions extends JsonOptions {
  readonly student?: true;
}

const roles: readonly Role[] = ["viewer", "operator", "admin", "student"];

/** `refold users`: who may sign in. */
export function usersCommand(): Command {
  return new Command("users")
    .description("who may sign in: viewers, operators, admins, and students of the catalogue")
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(passwordCommand())
    .addCommand(removeCommand())
    .addCommand(hashCommand());
}

const passwordOption = "take the password from standard input (default: one is made, and shown)";

function addCommand(): Command {
  return commandOnDatabase("add")
    .description("makes an account")
    .argument("<name>", "the user's name, or the student's id")
    .addOption(
      new Option("--role <role>", "viewer reads, operator acts, admin rebuilds; student: himself")
        .choices(roles)
        .makeOptionMandatory(),
    )
    .option("--password-stdin", passwordOption)
    .option("--name <name>", "of a student (default: the id)")
    .option("--email <address>", "of a student (default: one that no mail reaches)")
    .option("--json", "as JSON")
    .action(add);
}

async function add(text: string, options: AddOptions): Promise<void> {
  const name = nameOf(text);
  const { role } = options;
  if (role !== "student" && (options.name ?? options.email) !== undefined) {
    throw new CommandFailure("usage", "--name and --email go with --role student.");
  }
  const { passwordHash, made } = await givenPassword(options, name);
  await using stores = await connect("users", options);
  if (!(await added(new AccountBook(stores), name, { ...options, passwordHash }))) {
    const student = role === "student" ? " --student" : "";
    throw new CommandFailure(
      "refused",
      `There is ${role === "student" ? "a student" : "a user"} ${name} already: ` +
        `refold users password ${name}${student} sets another password.`,
    );
  }
  const shown = { name, role, ...(made === undefined ? {} : { password: made }) };
  print(options.json ? jsonOf(shown) : `${role} ${name} may sign in.${passwordText(made)}`);
}

function added(
  book: AccountBook,
  name: string,
  options: AddOptions & { readonly passwordHash: string },
): Promise<boolean> {
  const { role, passwordHash, email = `${encodeURIComponent(name)}@students.invalid` } = options;
  if (role !== "student") return book.addUser({ name, role, passwordHash });
  return book.addStudent({ id: name, name: options.name ?? name, email, passwordHash });
}

const passwordText = (made: string | undefined): string =>
  made === undefined ? "" : `\nThe password, shown this once: ${made}`;

function listCommand(): Command {
  return commandOnDatabase("list")
    .description("users in order of their names (students are rows of catalogue.students)")
    .option("--limit <number>", "at most so many", wholeNumber(1, 100_000), 1_000)
    .option("--json", "as JSON")
    .action(async (options: JsonOptions & { readonly limit: number }) => {
      await using stores = await connect("users", options);
      const users = await new AccountBook(stores).users(options.limit);
      if (options.json) return print(jsonOf(users));
      if (users.length === 0) return print("No users: refold users add <name> --role admin.");
      const rows = users.map(({ name, role, madeAt, passwordAt }) => {
        return [name, role, madeAt.toISOString(), passwordAt.toISOString()];
      });
      print(table(["name", "role", "made", "password set"], rows));
    });
}

function passwordCommand(): Command {
  return commandOnDatabase("password")
    .description("sets another password; sessions go on until refold sessions revoke --of <name>")
    .argument("<name>")
    .option("--student", "of a student of the catalogue")
    .option("--password-stdin", passwordOption)
    .option("--json", "as JSON")
    .action(async (text: string, options: OfOptions & PasswordOptions) => {
      const account = accountOf(text, options);
      const { name } = account;
      const { passwordHash, made } = await givenPassword(options, name);
      await using stores = await connect("users", options);
      if (!(await new AccountBook(stores).setPassword(account, passwordHash))) {
        throw unknownAccount(account);
      }
      const shown = { name, ...(made === undefined ? {} : { password: made }) };
      print(options.json ? jsonOf(shown) : `${name} has another password.${passwordText(made)}`);
    });
}

function removeCommand(): Command {
  return commandOnDatabase("remove")
    .description("removes an account; sessions go on until refold sessions revoke --of <name>")
    .argument("<name>")
    .option("--student", "of a student of the catalogue")
    .action(async (text: string, options: OfOptions) => {
      const account = accountOf(text, options);
      await using stores = await connect("users", options);
      if (!(await new AccountBook(stores).remove(account))) throw unknownAccount(account);
      const { name } = account;
      print(
        `${name} may sign in no more. Who is signed in stays so until the session's end: ` +
          `refold sessions revoke --of ${name} ends it now.`,
      );
    });
}

const accountOf = (text: string, { student }: OfOptions): AccountName => ({
  kind: student ? "student" : "user",
  name: nameOf(text),
});

function hashCommand(): Command {
  return new Command("hash")
    .description("the PHC string of a password, for catalogue.students.password_hash; no database")
    .option("--password-stdin", passwordOption)
    .option("--json", "as JSON")
    .action(async (options: PasswordOptions & { readonly json?: true }) => {
      const { passwordHash, made } = await givenPassword(options, "");
      const shown = { passwordHash, ...(made === undefined ? {} : { password: made }) };
      print(options.json ? jsonOf(shown) : `${passwordHash}${passwordText(made)}`);
    });
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
