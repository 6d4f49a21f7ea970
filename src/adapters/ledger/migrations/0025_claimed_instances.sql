-- By what is reserved: an instance that a later set may be in is known for as long as that set can be sent again.
CREATE INDEX instances_claimed ON instances (claim_shipment) WHERE claim_shipment IS NOT NULL;
