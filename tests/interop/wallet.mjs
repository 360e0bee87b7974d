// A wallet of other people's parts: OpenID4VCI of the OpenWallet Foundation, its SD-JWT VC, keys of Panva's jose.
import * as ecdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import {Openid4vciClient, setGlobalConfig} from '@openid4vc/openid4vci';
import {clientAuthenticationAnonymous, clientAuthenticationNone} from '@openid4vc/oauth2';
import {Openid4vpClient} from '@openid4vc/openid4vp';
import {getListFromStatusListJWT} from '@sd-jwt/jwt-status-list';
import {SDJwtVcInstance} from '@sd-jwt/sd-jwt-vc';
import * as jose from 'jose';
import {createHash, randomBytes} from 'node:crypto';

setGlobalConfig({allowInsecureUrls: true}); // the server of the tests has no certificate

export const operations = {
  async verifySdJwt({text, jwk, list, listJwk, at, nonce}) {
    return verified(sdJwt({jwk, listJwk, fetchList: async () => list}), text, at, nonce);
  },

  // As an employer's software: keys by the issuer's metadata, the list by its address.
  async checkSdJwt({text, at}) {
    const {iss} = jose.decodeJwt(text.split('~')[0]);
    const {kid} = jose.decodeProtectedHeader(text.split('~')[0]);
    const {origin, pathname} = new URL(iss);
    const metadata = await (await fetch(`${origin}/.well-known/jwt-vc-issuer${pathname}`)).json();
    if(metadata.issuer !== iss) {
      throw new Error(`metadata of another issuer: ${metadata.issuer}`);
    }
    const jwk = metadata.jwks.keys.find(each => each.kid === kid);
    const fetchList = async uri => {
      const answer = await fetch(uri, {headers: {Accept: 'application/statuslist+jwt'}});
      return answer.text();
    };
    return verified(sdJwt({jwk, listJwk: jwk, fetchList}), text, at);
  },

  async issueSdJwt({claims, frame, jwk, alg}) {
    return sdJwt({signJwk: jwk, alg}).issue(claims, frame);
  },

  async presentSdJwt({text, frame, holder, binding}) {
    return sdJwt({holder}).present(text, frame, {kb: {payload: binding}});
  },

  // What the wallet shows its holder: the request, signed by a key of the DID that asks.
  async readRequest({link}) {
    return resolved(link);
  },

  async presentBadge({link, query, text, presentation, holder, at, enc}) {
    const client = new Openid4vpClient({callbacks: verifierCallbacks});
    const request = (await resolved(link)).authorizationRequestPayload;
    const found = presentation ?? await sdJwt({holder}).present(text, {
      id: true, sub: true, identifier: true, awardedDate: true
    }, {kb: {payload: {iat: at, aud: request.client_id, nonce: request.nonce}}});
    const answer = await client.createOpenid4vpAuthorizationResponse({
      authorizationRequestPayload: request,
      authorizationResponsePayload: {vp_token: {[query]: [found]}},
      jarm: {
        encryption: {nonce: randomBytes(16).toString('base64url')},
        serverMetadata: {
          authorization_encryption_alg_values_supported: ['ECDH-ES'],
          authorization_encryption_enc_values_supported: [enc]
        }
      }
    });
    const {response} = await client.submitOpenid4vpAuthorizationResponse({authorizationRequestPayload: request, ...answer});
    return {status: response.status, body: await response.json()};
  },

  async readStatusList({token}) {
    const list = getListFromStatusListJWT(token);
    return list.statusList.reduce((raised, status, index) => status ? [...raised, index] : raised, []);
  },

  async receiveCredential({offer, txCode, holder, at}) {
    const {client, credentialOffer, issuerMetadata} = await opened(offer, holder);
    const {accessTokenResponse} = await client.retrievePreAuthorizedCodeAccessTokenFromOffer(
      {credentialOffer, issuerMetadata, txCode}
    );
    return received({client, credentialOffer, issuerMetadata, accessTokenResponse, holder, at});
  },

  // By authorization code: a pushed request with PKCE and DPoP, and the address that it opens in a browser.
  async startAuthorization({offer, holder, redirect, scope}) {
    const wallet = await opened(offer, holder, clientAuthenticationNone({clientId: 'portefeuille-d-essai'}));
    const {authorizationRequestUrl, pkce, dpop} = await wallet.client.createAuthorizationRequestUrlFromOffer({
      credentialOffer: wallet.credentialOffer,
      issuerMetadata: wallet.issuerMetadata,
      clientId: 'portefeuille-d-essai',
      redirectUri: redirect,
      scope,
      state: 'etat',
      dpop: {signer: signerOf(holder)}
    });
    begun = {...wallet, pkce, dpop, redirect, holder};
    return {url: authorizationRequestUrl};
  },

  async finishAuthorization({url, at}) {
    const {client, credentialOffer, issuerMetadata, pkce, dpop, redirect, holder} = begun;
    const [authorizationServerMetadata] = issuerMetadata.authorizationServers;
    const {code} = client.parseAndVerifyAuthorizationResponseRedirectUrl({url, authorizationServerMetadata});
    const {accessTokenResponse, dpop: bound} = await client.retrieveAuthorizationCodeAccessTokenFromOffer({
      credentialOffer, issuerMetadata, authorizationCode: code,
      pkceCodeVerifier: pkce.codeVerifier, redirectUri: redirect, dpop
    });
    const got = await received({client, credentialOffer, issuerMetadata, accessTokenResponse, holder, at, dpop: bound});
    return {...got, tokenType: accessTokenResponse.token_type};
  }
};

let begun;

async function opened(offer, holder, clientAuthentication) {
  const client = new Openid4vciClient({callbacks: callbacksOf(holder, clientAuthentication)});
  const credentialOffer = await client.resolveCredentialOffer(offer);
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
  return {client, credentialOffer, issuerMetadata};
}

function signerOf(holder) {
  return {method: 'jwk', alg: 'ES256', publicJwk: publicOf(holder)};
}

async function received({client, credentialOffer, issuerMetadata, accessTokenResponse, holder, at, dpop}) {
  const accessToken = accessTokenResponse.access_token;
  const [credentialConfigurationId] = credentialOffer.credential_configuration_ids;
  const {format, proof_types_supported: proofTypes} =
    issuerMetadata.credentialIssuer.credential_configurations_supported[credentialConfigurationId];
  const {c_nonce: nonce} = await client.requestNonce({issuerMetadata});
  const {jwt} = proofTypes ? await client.createCredentialRequestJwtProof({
    issuerMetadata,
    credentialConfigurationId,
    issuedAt: new Date(at * 1000),
    nonce,
    signer: signerOf(holder)
  }) : {};
  const {credentialResponse} = await client.retrieveCredentials({
    issuerMetadata, accessToken, credentialConfigurationId, dpop, ...(jwt && {proofs: {jwt: [jwt]}})
  });
  await client.sendNotification({
    issuerMetadata,
    accessToken,
    dpop,
    notification: {notificationId: credentialResponse.notification_id, event: 'credential_accepted'}
  });
  return {
    format,
    signed: Boolean(issuerMetadata.signedCredentialIssuer),
    version: issuerMetadata.originalDraftVersion,
    credential: credentialResponse.credentials[0].credential
  };
}

async function resolved(link) {
  const client = new Openid4vpClient({callbacks: verifierCallbacks});
  const {params} = client.parseOpenid4vpAuthorizationRequest({authorizationRequest: link});
  return client.resolveOpenId4vpAuthorizationRequest({authorizationRequestPayload: params});
}

const verifierCallbacks = {
  fetch,
  hash: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
  // did:web, as its specification has it, but over http: the server of the tests has no certificate.
  async verifyJwt(signer, {compact}) {
    const [did] = signer.didUrl.split('#');
    const host = decodeURIComponent(did.replace('did:web:', ''));
    const document = await (await fetch(`http://${host}/.well-known/did.json`)).json();
    const method = document.verificationMethod.find(each => each.id === signer.didUrl);
    if(!method || !document.authentication.includes(method.id)) {
      return {verified: false};
    }
    const signerJwk = await ecdsaMultikey.toJwk({keyPair: await ecdsaMultikey.from(method)});
    await jose.compactVerify(compact, await jose.importJWK(signerJwk, signer.alg));
    return {verified: true, signerJwk};
  },
  async encryptJwe({publicJwk, alg, enc, apu, apv}, data) {
    const encryption = new jose.CompactEncrypt(Buffer.from(data)).setProtectedHeader({alg, enc, kid: publicJwk.kid});
    encryption.setKeyManagementParameters({
      apu: apu ? Buffer.from(apu, 'base64url') : undefined, apv: apv ? Buffer.from(apv, 'base64url') : undefined
    });
    return {encryptionJwk: publicJwk, jwe: await encryption.encrypt(await jose.importJWK(publicJwk, alg))};
  }
};

function publicOf({d, ...jwk}) {
  return jwk;
}

function callbacksOf(holder, clientAuthentication = clientAuthenticationAnonymous()) {
  const unused = () => {
    throw new Error('not expected here');
  };
  // It reads signed metadata, and names no type in its requests.
  const asking = (url, init = {}) => fetch(url, String(url).includes('/openid-credential-issuer') ?
    {...init, headers: {...init.headers, Accept: 'application/jwt'}} : init);
  return {
    fetch: asking,
    hash: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
    generateRandom: length => randomBytes(length),
    clientAuthentication,
    async signJwt(signer, {header, payload}) {
      const key = await jose.importJWK(holder, signer.alg);
      const jwt = await new jose.SignJWT(payload).setProtectedHeader(header).sign(key);
      return {jwt, signerJwk: publicOf(holder)};
    },
    // Signed metadata: by the keys of the campus that it names.
    async verifyJwt(signer, {compact, payload}) {
      const {origin, pathname} = new URL(payload.sub);
      const {jwks} = await (await fetch(`${origin}/.well-known/jwt-vc-issuer${pathname}`)).json();
      const jwk = jwks.keys.find(each => each.kid === signer.didUrl);
      if(!jwk) {
        return {verified: false};
      }
      await jose.compactVerify(compact, await jose.importJWK(jwk, signer.alg));
      return {verified: true, signerJwk: jwk};
    },
    encryptJwe: unused,
    decryptJwe: unused
  };
}

async function verified(instance, text, at, nonce) {
  try {
    const {payload, kb} = await instance.verify(text, {currentDate: at, ...(nonce && {keyBindingNonce: nonce})});
    return {verified: true, payload, bound: kb?.payload ?? null};
  } catch(error) {
    return {verified: false, error: error.message};
  }
}

function sdJwt({jwk, fetchList, listJwk, signJwk, alg = 'EdDSA', holder}) {
  const check = async (data, signature, key) => {
    const header = jose.decodeProtectedHeader(`${data}.${signature}`);
    await jose.compactVerify(`${data}.${signature}`, await jose.importJWK(key, header.alg));
    return true;
  };
  const sign = key => async data => {
    const header = JSON.parse(Buffer.from(data.split('.')[0], 'base64url'));
    const signer = new jose.CompactSign(Buffer.from(data.split('.')[1], 'base64url')).setProtectedHeader(header);
    return (await signer.sign(await jose.importJWK(key, header.alg))).split('.')[2];
  };
  return new SDJwtVcInstance({
    hasher: data => createHash('sha256').update(typeof data === 'string' ? data : Buffer.from(data)).digest(),
    hashAlg: 'sha-256',
    saltGenerator: length => randomBytes(length).toString('base64url'),
    verifier: (data, signature) => check(data, signature, jwk),
    statusListFetcher: fetchList,
    statusVerifier: (data, signature) => check(data, signature, listJwk),
    ...(signJwk && {signer: sign(signJwk), signAlg: alg}),
    ...(holder && {kbSigner: sign(holder), kbSignAlg: 'ES256'}),
    kbVerifier: (data, signature, payload) => check(data, signature, payload.cnf.jwk)
  });
}
