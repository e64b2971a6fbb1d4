# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificate specs and contacts: the options of `CERTIFICATES_SPEC` and `CONTACTS_SPEC`."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  certificates:
    description:
      - The certificates of the host. Every module of this collection accepts the same list and ignores the keys that
        it does not need.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the certificate on this host. It is also the name of its directory below O(directory).
          - It can have up to 64 letters, digits, dots, dashes and underscores.
        type: str
        required: true
      names:
        description:
          - The domain names or IP addresses that the certificate must cover. The first one is the common name.
          - Internationalized domain names can be written in Unicode.
        type: list
        elements: str
        required: true
      product:
        description:
          - The product to buy, either its number or its name in the GoGetSSL catalog.
        type: str
        required: true
      period:
        description:
          - Length of the paid term in months.
        type: int
        default: 12
      dcv:
        description:
          - The domain control validation (DCV) method. The value is V(http), V(https), V(dns), V(auto) or the email
            address of an approver.
          - Set one method for all names, or a dictionary from name to method with an entry for each of
            O(certificates[].names).
          - V(auto) selects a method for each name from those that can be published for the host. It prefers files to
            DNS records, and never selects email.
          - Wildcard names cannot be validated by V(http) or V(https). IP addresses can only be validated by V(http)
            or V(https).
          - DigiCert brands require the same method for all names of a certificate.
          - A name that a single-name product includes, such as C(www), is validated together with the common name and
            by the same method.
        type: raw
        default: http
      key_type:
        description:
          - Type and size of the private key. A host may have an RSA and an ECDSA certificate for the same names, as two
            entries with two orders.
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
          - The services on the host that use the certificate. The role P(certops.gogetssl.gogetssl#role) reloads
            them.
        type: list
        elements: str
        default: []
      listeners:
        description:
          - The TLS endpoints that serve the certificate, as seen from the host. The served certificate is compared
            with the installed one.
          - If not set, the endpoints depend on O(certificates[].services), and all of them are on the loopback
            address. V(postfix) uses port 25 with STARTTLS, V(dovecot) uses port 993 and port 143 with STARTTLS,
            V(tomcat) uses port 8443, and every other service uses port 443. Without services, no endpoint is checked.
        type: list
        elements: dict
        suboptions:
          port:
            description:
              - TCP port. If not set, the standard port of O(certificates[].listeners[].starttls) is used, or 443.
            type: int
          address:
            description:
              - IP address or host name to connect to.
              - V(all) connects to every IPv4 and IPv6 address of the host that listens on the port. It requires the
                commands C(ss) and C(ip) on the host.
            type: str
            default: 127.0.0.1
          starttls:
            description:
              - Protocol of the endpoint if TLS starts with STARTTLS. If not set, the connection uses TLS from the
                start.
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
            description:
              - Server name to send in the TLS handshake (SNI). If not set, the first of O(certificates[].names) that
                is not a wildcard is used.
            type: str
      forms:
        description:
          - Additional file formats of the certificate. The files are stored in the same directory as C(privkey.pem),
            C(cert.pem), C(chain.pem) and C(fullchain.pem), and are replaced together with them.
          - V(haproxy) creates C(haproxy.pem), which holds the certificate, the chain and the private key.
          - V(der) creates C(cert.der) and C(privkey.der).
          - V(pkcs12) creates C(keystore.p12), which is encrypted with AES-256 and PBKDF2 with SHA-256.
          - V(pkcs12_legacy) creates C(keystore-legacy.p12), which is encrypted with 3DES and SHA-1. Use it for old
            versions of Java and Windows.
          - V(pkcs12) and V(pkcs12_legacy) require version 38 or later of the Python library C(cryptography), or the
            command C(openssl), on the host.
          - V(jks) creates C(keystore.jks) for Java. It does not require Java on the host.
          - V(pkcs12), V(pkcs12_legacy) and V(jks) require
            O(certops.gogetssl.gogetssl_certificate#module:store_password).
          - A format that is added to the list later is added to the installed version.
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
          - Alias of the entry in keystores. If not set, O(certificates[].name) is used.
          - It can have up to 64 letters, digits, dots, dashes, underscores and spaces. JKS keystores store it in
            lowercase.
        type: str
      owner:
        description:
          - User that owns the files, as name or number. If not set, the user that runs the task owns them.
        type: str
      group:
        description:
          - Group that owns the files, as name or number. If not set, the group of the user that runs the task owns
            them.
        type: str
      mode:
        description:
          - File mode of the files that hold the private key. The value must be one of V('0600'), V('0640'), V('0400')
            and V('0440'), with quotes. All other files have the mode V('0644').
        type: raw
        default: '0600'
      server_count:
        description:
          - Number of servers that use the certificate, for products that are licensed per server. V(-1) means
            unlimited.
        type: int
        default: -1
      webserver:
        description:
          - The web server software, as number or name in the list of M(certops.gogetssl.gogetssl_webserver_info). If
            not set, the entry for other software is used.
        type: str
      signature_hash:
        description:
          - Hash algorithm of the CA's signature, as the GoGetSSL API names it.
        type: str
        default: SHA2
      unique_code:
        description:
          - A code of 15 to 20 letters and digits. The CA uses it to distinguish two requests with the same CSR.
          - If not set, the module derives it from the order.
        type: str
      rekey:
        description:
          - Whether to replace the certificate with one for a new private key, for example after the key was
            compromised.
          - With a date or a time such as V(2026-11-24T10:00:00Z), a certificate is replaced if its key was submitted
            to the CA before that time. The value can stay in the configuration. A time without a time zone is in UTC.
            A time in the future has no effect yet.
          - With V(true), every run replaces the installed certificate.
          - Every new certificate has a new private key, also with V(false).
        type: raw
        default: false
      adopt:
        description:
          - Number of an existing order. The certificate is managed with this order from now on.
        type: int
      adopt_files:
        description:
          - Files of a certificate that the host already uses.
          - O(certops.gogetssl.gogetssl_certificate#module:state=adopted) copies them to O(directory) as the first
            version. The files themselves are not changed.
          - No certificate is ordered until the files are adopted.
        type: dict
        suboptions:
          certificate:
            description: PEM file with the certificate. The chain can follow in the same file.
            type: path
            required: true
          key:
            description: PEM file with the private key. The key must not have a passphrase.
            type: path
            required: true
          chain:
            description: PEM file with the chain, if it is not in the file of the certificate.
            type: path
      abandon_intent:
        description:
          - Whether to abandon a purchase with an unknown outcome, an order that was rejected, or an order that
            belongs to another private key.
          - Check the orders of the account first. If the purchase did succeed, the certificate is paid for twice.
        type: bool
        default: false
      order_host:
        description:
          - Inventory name of the host that orders a certificate that several hosts share. That host creates the
            private key and places the order. The other hosts copy the certificate and the key from it through the
            memory of the controller.
          - With V({{ inventory_hostname }}), each host creates its own key and pays for its own order.
          - If not set and several hosts of the play request the same common name and product, no host orders a
            certificate.
        type: str
      keys:
        description:
          - Whether hosts that share an order also share its private key.
          - The module rejects V(own), a separate key for each host on one order, because an order of GoGetSSL has
            only one certificate. Use O(certificates[].order_host) instead.
        type: str
        choices: [shared, own]
        default: shared
      admin: &person
        description:
          - The administrative contact of this certificate. Set only the fields that differ from O(admin).
        type: dict
        suboptions: &person_options
          firstname:
            description: First name.
            type: str
          lastname:
            description: Last name.
            type: str
          title:
            description: Salutation or job title, such as V(Ms.).
            type: str
          email:
            description: Email address.
            type: str
          phone:
            description: Telephone number with country code.
            type: str
          organization:
            description: Organization of the contact.
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
            description: Two-letter country code.
            type: str
          fax:
            description: Fax number.
            type: str
      tech: *person
      organization:
        description:
          - The organization of this certificate. Set only the fields that differ from O(organization).
        type: dict
        suboptions: &organization_options
          name:
            description: Registered name of the organization. It is the C(O) field of the CSR.
            type: str
          division:
            description: Department of the organization. It is the C(OU) field of the CSR.
            type: str
          duns:
            description: D-U-N-S number.
            type: str
          lei:
            description: Legal Entity Identifier (LEI).
            type: str
          addressline1:
            description: Street and number.
            type: str
          city:
            description: City. It is the C(L) field of the CSR.
            type: str
          region:
            description: State, province or canton. It is the C(ST) field of the CSR.
            type: str
          postalcode:
            description: Postal code.
            type: str
          country:
            description: Two-letter country code. It is the C(C) field of the CSR.
            type: str
          phone:
            description: Telephone number with country code.
            type: str
          fax:
            description: Fax number.
            type: str
  directory:
    description:
      - Directory on the host that has a subdirectory for each certificate.
      - The directory and its parent directories must be owned by V(root) or by the user that runs the task, and must
        not be world-writable.
    type: path
    default: /etc/gogetssl
  host:
    description:
      - Inventory name of the host. The module compares it with O(certificates[].order_host) to determine which
        certificates the host orders and which it copies.
      - If not set, the host is assumed to order all certificates.
    type: str
  admin:
    description:
      - The default administrative contact of all certificates.
    type: dict
    suboptions: *person_options
  tech:
    description:
      - The default technical contact of all certificates. A field that is set neither here nor for the certificate is
        taken from O(admin).
    type: dict
    suboptions: *person_options
  organization:
    description:
      - The default organization of all certificates. Products with organization validation require it.
    type: dict
    suboptions: *organization_options
"""
