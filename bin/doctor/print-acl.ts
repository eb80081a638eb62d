import { CommandFailure } from "../command-failure.ts";
import { application } from "../system/definitions.ts";
import { aclCommands, aclRoles, aclsOf, principalOf, type AclRole } from "./acl.ts";

export interface AclOptions {
  /** `role=User:name`, each; default: `User:refold-<role>`. */
  readonly principal?: readonly string[];
  readonly json?: true;
}

/** `refold doctor --acl`: needs no server, since it follows from the definitions. */
export function printAcl({ principal = [], json }: AclOptions): void {
  const named = new Map(principal.map(principalIn));
  const of = (role: AclRole): string => named.get(role) ?? principalOf(role);
  const roles = named.size === 0 ? aclRoles : aclRoles.filter((role) => named.has(role));
  const acls = aclsOf(application).filter(({ role }) => roles.includes(role));
  const text = json
    ? JSON.stringify(
        acls.map(({ role, ...acl }) => ({ role, principal: of(role), ...acl })),
        undefined,
        2,
      )
    : aclCommands(acls, of);
  process.stdout.write(`${text}\n`);
}

/** Quotes would end what the shell takes for one word. */
const principalText = /^[A-Za-z]+:[^'\s]+$/;

function principalIn(text: string): readonly [AclRole, string] {
  const at = text.indexOf("=");
  const role = aclRoles.find((one) => one === text.slice(0, Math.max(0, at)));
  const principal = text.slice(at + 1);
  if (role !== undefined && principalText.test(principal)) return [role, principal];
  throw new CommandFailure(
    "usage",
    `--principal takes role=Type:name, such as worker=User:refold, where the role is one of ` +
      `${aclRoles.join(", ")}; not "${text}".`,
  );
}
