import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

/** A certificate with its private key, in PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface IssueOptions {
  readonly commonName: string;
  /** DNS names and IPv4 addresses that it is for. */
  readonly names?: readonly string[];
  /** Default: from an hour ago for a day. */
  readonly notAfter?: Date;
}

const hourMs = 3_600_000;

/**
 * An authority that signs certificates for tests, written here because Node reads X.509 and doesn't
 * make it (RFC 5280, encoded by DER).
 */
export class Authority {
  /** Its own certificate, in PEM: what clients must trust. */
  readonly ca: string;
  readonly #name: string;
  readonly #key: KeyObject;

  constructor(name = "Authority of a test") {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#name = name;
    this.#key = privateKey;
    const extension = sequence(objectId("551d13"), tlv(0x01, "ff"), octets(sequence(yes)));
    this.ca = pem(this.#signed({ commonName: name, publicKey, extension }));
  }

  issue({ commonName, names = [], notAfter }: IssueOptions): Issued {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const extension = sequence(objectId("551d11"), octets(sequence(...names.map(generalName))));
    const cert = this.#signed({ commonName, publicKey, extension, notAfter });
    const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    return { cert: pem(cert), key };
  }

  #signed(about: {
    readonly commonName: string;
    readonly publicKey: KeyObject;
    readonly extension: Buffer;
    readonly notAfter?: Date | undefined;
  }): Buffer {
    const { commonName, publicKey, extension } = about;
    const { notAfter = new Date(Date.now() + 24 * hourMs) } = about;
    const notBefore = new Date(Math.min(Date.now(), notAfter.getTime()) - hourMs);
    const body = sequence(
      tlv(0xa0, tlv(0x02, "02")),
      tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
      ecdsaWithSha256,
      nameOf(this.#name),
      sequence(utcTime(notBefore), utcTime(notAfter)),
      nameOf(commonName),
      publicKey.export({ type: "spki", format: "der" }),
      tlv(0xa3, sequence(extension)),
    );
    const signature = sign("sha256", body, this.#key);
    return sequence(body, ecdsaWithSha256, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])));
  }
}

function tlv(tag: number, content: Buffer | string): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content, "hex") : content;
  const length =
    bytes.length < 0x80
      ? Buffer.from([bytes.length])
      : Buffer.from([0x82, bytes.length >> 8, bytes.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, bytes]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => tlv(0x30, Buffer.concat(parts));
const octets = (content: Buffer): Buffer => tlv(0x04, content);
const objectId = (hex: string): Buffer => tlv(0x06, hex);
const yes = tlv(0x01, "ff");
const ecdsaWithSha256 = sequence(objectId("2a8648ce3d040302"));

const nameOf = (commonName: string): Buffer =>
  sequence(tlv(0x31, sequence(objectId("550403"), tlv(0x0c, Buffer.from(commonName)))));

const utcTime = (at: Date): Buffer => {
  const digits = at.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return tlv(0x17, Buffer.from(digits.slice(2)));
};

const generalName = (name: string): Buffer =>
  isIPv4(name) ? tlv(0x87, Buffer.from(name.split(".").map(Number))) : tlv(0x82, Buffer.from(name));

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
