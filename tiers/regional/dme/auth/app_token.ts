import { decodeProtectedHeader, errors, importSPKI, importX509, jwtVerify } from "jose";

/** Why an app's registration token is refused; the message is for the caller. */
export class AppTokenError extends Error {
  override readonly name = "AppTokenError";
}

/** Who the token must be for. */
export interface AppIdentity {
  organization: string;
  name: string;
  version: string;
}

/** RSA only: HMAC would let anybody who has the public key sign, and EC keys were never offered (specification 3.4). */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

/** Longest token that is looked at. */
const MAX_TOKEN_CHARACTERS = 16_384;

/**
 * Verifies the token with which an app's own back-end vouches for a device (DME specification 3.4).
 *
 * @param publicKeyPem RSA key as PKIX public key or X.509 certificate
 * @throws {AppTokenError} When the token is malformed, expired, from the future, badly signed or for another app.
 */
export async function verifyAppToken(
  token: string,
  publicKeyPem: string,
  app: AppIdentity,
  nowMs: number,
): Promise<void> {
  if (token.length > MAX_TOKEN_CHARACTERS) throw new AppTokenError("Authentication token is too long");
  let algorithm: string;
  try {
    algorithm = decodeProtectedHeader(token).alg ?? "";
  } catch {
    throw new AppTokenError("Authentication token is malformed");
  }
  if (!ALGORITHMS.includes(algorithm)) {
    throw new AppTokenError(
      "Authentication token is not signed with an RSA key (RS256, RS384, RS512, PS256, PS384, PS512)",
    );
  }
  const key = await importKey(publicKeyPem, algorithm);
  let claims: Record<string, unknown>;
  try {
    const verified = await jwtVerify(token, key, { algorithms: ALGORITHMS, currentDate: new Date(nowMs) });
    claims = verified.payload;
  } catch (error) {
    throw refusal(error);
  }
  if (typeof claims.iat === "number" && claims.iat * 1000 > nowMs) {
    throw new AppTokenError("Authentication token was issued in the future");
  }
  const wanted = [["orgname", app.organization], ["appname", app.name], ["appvers", app.version]] as const;
  for (const [claim, value] of wanted) {
    if (claims[claim] !== value) throw new AppTokenError(`Authentication token is for another ${claim}`);
  }
}

async function importKey(pem: string, algorithm: string) {
  try {
    if (pem.includes("BEGIN CERTIFICATE")) return await importX509(pem.trim(), algorithm);
    return await importSPKI(pem.trim(), algorithm);
  } catch {
    throw new AppTokenError("Public key of the app is not an RSA key, so that no token can be verified");
  }
}

function refusal(error: unknown): AppTokenError {
  if (error instanceof errors.JWTExpired) return new AppTokenError("Authentication token is expired");
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return new AppTokenError("Authentication token has a bad signature");
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new AppTokenError(`Authentication token has an unacceptable ${error.claim} claim`);
  }
  return new AppTokenError("Authentication token is malformed");
}
