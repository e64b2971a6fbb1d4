# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wished for: the options of `CERTIFICATES_SPEC` and `CONTACTS_SPEC` in `module_utils/_wanted.py`."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  certificates:
    description:
      - The certificates of the host. Every task takes the same list and picks what it needs from it.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - What the certificate is called here. It names the directory below O(directory).
          - Takes letters, digits, dot, dash and underscore, up to 64 of them.
        type: str
        required: true
      names:
        description:
          - The names the certificate is for. The first one is the common name.
          - Internationalised names may be given in Unicode.
        type: list
        elements: str
        required: true
      product:
        description:
          - The product to buy, by its number or its name in the vendor's catalogue.
        type: str
        required: true
      period:
        description:
          - The term to pay for, in months.
        type: int
        default: 12
      dcv:
        description:
          - How control over the names is proven. V(http), V(https) and V(dns) are meant literally, anything else is the
            e-mail address of an approver.
          - V(auto) chooses for each name from what the host can publish, files before records; mails never, as nobody
            can choose an approver.
          - Either one method for all names, or a dictionary that has a method for each of them.
          - A wildcard cannot be validated by V(http) or V(https), an IP address by nothing else.
          - Brands of the DigiCert family take one method for all names. Names that a product for one name includes,
            such as C(www), are proven along with it and take its method.
        type: raw
        default: http
      key_type:
        description:
          - The kind of private key.
        type: str
        choices:
          - rsa-2048
          - rsa-3072
          - rsa-4096
          - ecdsa-p256
          - ecdsa-p384
        default: rsa-2048
      services:
        description:
          - The services of the host that serve the certificate. Used by the role P(certops.gogetssl.gogetssl#role),
            which reloads them.
        type: list
        elements: str
        default: []
      listeners:
        description:
          - Where the host serves the certificate, as seen from the host itself. What is served there is compared with
            what is installed.
          - If not given, where O(certificates[].services) usually serve it, on the loopback address. V(postfix) means
            port 25 with STARTTLS, V(dovecot) ports 993 and 143, the latter with STARTTLS, V(tomcat) port 8443, and any
            other service port 443. Without services, nothing.
        type: list
        elements: dict
        suboptions:
          port:
            description:
              - The TCP port. If not given, the usual one of O(certificates[].listeners[].starttls), else 443.
            type: int
          address:
            description:
              - The address or host name to connect to.
              - V(all) is every address of the host at which something listens on the port, those of IPv6 included. This
                takes the commands C(ss) and C(ip) on the host.
            type: str
            default: 127.0.0.1
          starttls:
            description: The protocol that begins in clear text and is asked to go over to TLS.
            type: str
            choices:
              - smtp
              - lmtp
              - imap
              - pop3
              - sieve
              - ldap
              - ftp
              - xmpp
              - xmpp-server
              - irc
              - nntp
              - postgres
              - mysql
          server_name:
            description: The name to ask for (SNI). If not given, the first name that is no wildcard.
            type: str
      forms:
        description:
          - Forms that the host needs beside C(privkey.pem), C(cert.pem), C(chain.pem) and C(fullchain.pem). They lie in
            the same directory and change with them.
          - V(haproxy) is C(haproxy.pem), certificates and key in one file. V(der) is C(cert.der) and C(privkey.der).
          - V(pkcs12) is C(keystore.p12), encrypted with AES-256, PBKDF2 and SHA-256. V(pkcs12_legacy) is
            C(keystore-legacy.p12), encrypted with 3DES and SHA-1, for old Java and old Windows. Both need version 38 or
            newer of the Python library C(cryptography) on the host, or the program C(openssl).
          - V(jks) is C(keystore.jks), for Java. Nothing of Java has to be on the host.
          - V(pkcs12), V(pkcs12_legacy) and V(jks) need the password of the keystores, see
            O(certops.gogetssl.gogetssl_certificate#module:store_password).
          - A form that is wished for later is added to the version that is installed.
        type: list
        elements: str
        choices:
          - haproxy
          - der
          - pkcs12
          - pkcs12_legacy
          - jks
        default: []
      alias:
        description:
          - The name of key and certificate in keystores. If not given, O(certificates[].name).
          - Takes up to 64 letters, digits, dots, dashes, underscores and blanks. JKS knows small letters only.
        type: str
      owner:
        description:
          - The user, by name or number, that the files belong to. If not given, the user of the task.
        type: str
      group:
        description:
          - The group, by name or number, that the files belong to. If not given, the group of the user of the task.
        type: str
      mode:
        description:
          - The mode of the files that hold the key, one of V('0600'), V('0640'), V('0400') and V('0440'), with quotes.
            The other files have V('0644') always.
        type: raw
        default: '0600'
      server_count:
        description:
          - On how many servers the certificate is used, for products that are licensed that way. V(-1) is unlimited.
        type: int
        default: -1
      webserver:
        description:
          - The server software by its number or its name in the vendor's list. If not given, the brand's entry for any
            other software.
        type: str
      signature_hash:
        description:
          - The hash algorithm of the authority's signature, in the vendor's words.
        type: str
        default: SHA2
      unique_code:
        description:
          - A code of 15 to 20 letters and digits by which the authority tells apart two requests with the same CSR. If
            not given, it is derived from the order.
        type: str
      rekey:
        description:
          - A day or a time, such as V(2026-11-24T10:00:00Z), has a certificate replaced whose key was sent to the
            authority before. It may stay set; a time without a zone is UTC, and one that has not come yet does nothing.
          - V(true) has the installed certificate replaced in every run for as long as it is set.
          - M(certops.gogetssl.gogetssl_csr) makes a new key for every new certificate, with V(false) too.
        type: raw
        default: false
      adopt:
        description:
          - The number of an order that exists already and that this certificate is to come from from now on.
        type: int
      adopt_files:
        description:
          - Files on the host of a certificate that is in use there already. With C(state=adopted) of
            M(certops.gogetssl.gogetssl_certificate) they become the first version in O(directory); the files
            themselves stay as they are. Until then nothing is ordered.
        type: dict
        suboptions:
          certificate:
            description: PEM file of the certificate; its chain may follow in it.
            type: path
            required: true
          key:
            description: PEM file of its private key, without a passphrase.
            type: path
            required: true
          chain:
            description: PEM file of the chain, if it is a file of its own.
            type: path
      abandon_intent:
        description:
          - Whether to give up a purchase that was begun and whose outcome is not known, or an order that was rejected
            or that another key belongs to. This can mean to pay twice, so look at the account first.
        type: bool
        default: false
      order_host:
        description:
          - For a certificate that several hosts wish for, the host that makes its key and its order, as the inventory
            calls it. The others get both from there, through the controller's memory.
          - If it is the host itself, V({{ inventory_hostname }}), each host makes a key and pays for an order of its
            own.
          - If several hosts of a play wish for the same common name and product and this is not given, none of them
            buys anything.
        type: str
      keys:
        description:
          - Whether hosts that share an order share its key as well.
          - V(own), a key for each host on one order, is refused, with the reason and the alternatives. GoGetSSL's API
            has one certificate for an order, and what becomes of the certificate before a reissue is not documented.
        type: str
        choices: [shared, own]
        default: shared
      admin: &person
        description:
          - The contact person for this certificate. Only what differs from the task's option of the same name has to be
            given.
        type: dict
        suboptions: &person_options
          firstname:
            description: First name.
            type: str
          lastname:
            description: Last name.
            type: str
          title:
            description: Title or position.
            type: str
          email:
            description: E-mail address.
            type: str
          phone:
            description: Telephone number with country code.
            type: str
          organization:
            description: Organisation the person belongs to.
            type: str
          addressline1:
            description: Street and number.
            type: str
          city:
            description: City.
            type: str
          region:
            description: State, province or canton.
            type: str
          postalcode:
            description: Postal code.
            type: str
          country:
            description: Country as two letters.
            type: str
          fax:
            description: Fax number.
            type: str
      tech: *person
      organization:
        description:
          - The organisation this certificate is issued to. Only what differs from the task's option of the same name
            has to be given.
        type: dict
        suboptions: &organization_options
          name:
            description: Registered name. It becomes C(O) in the subject of the CSR.
            type: str
          division:
            description: Department. It becomes C(OU) in the subject of the CSR.
            type: str
          duns:
            description: D-U-N-S number.
            type: str
          lei:
            description: Legal entity identifier.
            type: str
          addressline1:
            description: Street and number.
            type: str
          city:
            description: City. It becomes C(L) in the subject of the CSR.
            type: str
          region:
            description: State, province or canton. It becomes C(ST) in the subject of the CSR.
            type: str
          postalcode:
            description: Postal code.
            type: str
          country:
            description: Country as two letters. It becomes C(C) in the subject of the CSR.
            type: str
          phone:
            description: Telephone number with country code.
            type: str
          fax:
            description: Fax number.
            type: str
  directory:
    description:
      - The directory on the host that has a directory for each certificate.
      - It and everything above it must belong to V(root) or the user of the task, and must not be writable by all.
    type: path
    default: /etc/gogetssl
  host:
    description:
      - What the inventory calls the host. It tells certificates that are ordered here from those that are copied from
        another O(certificates[].order_host). If it is not given, all are taken to be ordered here.
    type: str
  admin:
    description:
      - The contact person of all certificates, as far as they have none of their own.
    type: dict
    suboptions: *person_options
  tech:
    description:
      - The technical contact of all certificates, as far as they have none of their own. What is given neither here nor
        there is taken from O(admin).
    type: dict
    suboptions: *person_options
  organization:
    description:
      - The organisation of all certificates, as far as they have none of their own. Needed for products that validate
        the organisation.
    type: dict
    suboptions: *organization_options
"""
