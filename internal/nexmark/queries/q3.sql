-- q3: local item suggestion. Who sells in OR, ID or CA in category 10, and what: a join with state on both sides for ever.
-- source: nexmark/nexmark, queries/q3.sql
SELECT P.name, P.city, P.state, A.id
FROM auction AS A INNER JOIN person AS P ON A.seller = P.id
WHERE A.category = 10 AND (P.state = 'OR' OR P.state = 'ID' OR P.state = 'CA')
