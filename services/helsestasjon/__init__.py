"""Helsestasjon: HL7 FHIR with the Norwegian profiles."""
